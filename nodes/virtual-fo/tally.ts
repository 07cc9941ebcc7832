import type { SimulatorEvent, Tally } from '../virtual/stage.ts';

/** What the operator is doing: connected or not, its service, its target. */
export class OperatorTally implements Tally {
  #link = 'connecting';
  #service = '';
  #targetW: number | undefined;

  hear({ event, targetW, decision, what }: SimulatorEvent): void {
    switch (event) {
      case 'up':
        this.#link = 'connected';
        break;
      case 'down':
        this.#link = 'not connected';
        break;
      case 'requested':
        this.#service = 'asked for a service';
        break;
      case 'decision':
        this.#service = decision === 'rejected' || decision === 'optedOut' ? 'refused' : 'service runs';
        break;
      case 'setpoint':
        this.#targetW = typeof targetW === 'number' ? targetW : undefined;
        break;
      case 'over':
        this.#service = 'between two services';
        this.#targetW = undefined;
        break;
      case 'act':
        if (what === 'mute') this.#link = 'silent';
        break;
      case 'loud':
        this.#link = 'connected';
        break;
    }
  }

  words(): string {
    const target = this.#targetW === undefined ? '' : `${this.#targetW} W`;
    return [this.#link, this.#service, target].filter((part) => part !== '').join(' · ');
  }

  reset(): void {
    this.#link = 'connecting';
    this.#service = '';
    this.#targetW = undefined;
  }
}
