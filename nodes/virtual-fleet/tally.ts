import type { SimulatorEvent, Tally } from '../virtual/stage.ts';

/** How many stations there are, are connected, and charge or discharge, from the summaries of the simulator. */
export class FleetTally implements Tally {
  #words = 'starting';

  hear(event: SimulatorEvent): void {
    if (event.event !== 'summary') return;
    const { stations, online, charging } = event;
    const lost = Number(stations) - Number(online);
    this.#words = [
      `${Number(stations)} station${stations === 1 ? '' : 's'}`,
      ...(lost > 0 ? [`${lost} offline`] : []),
      `${Number(charging)} charging`,
    ].join(' · ');
  }

  words(): string {
    return this.#words;
  }

  reset(): void {
    this.#words = 'starting';
  }
}
