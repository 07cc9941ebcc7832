import fc from 'fast-check';

/**
 * Property tests search the same cases in every run, so that a red test names a change and not a throw of the dice.
 * `V2GATE_SEED=<number>` searches elsewhere, `V2GATE_SEED=random` somewhere new; a failure prints the seed.
 */
const wanted = process.env.V2GATE_SEED;
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted ?? 20_260_101) });
