import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventInbox } from '../../protocols/fo/session/inbox.ts';

const verdicts = (inbox: EventInbox, seqs: number[]) => seqs.map((s) => inbox.judge(s).verdict);

describe('the order of events at the FO', () => {
  it('hands over what fits, once', () => {
    const inbox = new EventInbox(0);
    inbox.resume(3, 1);
    expect(verdicts(inbox, [1, 2])).toEqual(['deliver', 'deliver']);
    expect(inbox.acked).toBe(0);
    inbox.settled(2);
    expect(inbox.acked).toBe(0);
    inbox.settled(1);
    expect(inbox.acked).toBe(2);
    expect(verdicts(inbox, [1, 2, 3])).toEqual(['known', 'known', 'deliver']);
  });

  it('hands an event over again while its Result is not final', () => {
    const inbox = new EventInbox(0);
    expect(verdicts(inbox, [1, 1])).toEqual(['deliver', 'deliver']);
  });

  it('never crosses a gap that a gateway with firstEventSeq did not announce', () => {
    const inbox = new EventInbox(4);
    expect(inbox.resume(9, 5)).toEqual({ restarted: false });
    expect(verdicts(inbox, [6, 6, 6, 5, 6])).toEqual(['early', 'early', 'early', 'deliver', 'deliver']);
    expect(inbox.resume(20, 11)).toEqual({ restarted: false, gap: { from: 7, to: 10 } });
    expect(verdicts(inbox, [11])).toEqual(['deliver']);
  });

  it('takes a gateway without firstEventSeq by its deeds', () => {
    const inbox = new EventInbox(4);
    inbox.resume(9, undefined);
    expect(inbox.judge(7)).toEqual({ verdict: 'deliver', gap: { from: 5, to: 6 } });
    expect(verdicts(inbox, [10, 11])).toEqual(['early', 'early']);
    expect(inbox.judge(10)).toEqual({ verdict: 'deliver', gap: { from: 8, to: 9 } });
  });

  it('does not take an event as lost that was turned away', () => {
    const inbox = new EventInbox(0);
    inbox.resume(3, undefined);
    expect(verdicts(inbox, [1])).toEqual(['deliver']);
    expect(verdicts(inbox, [3])).toEqual(['early']);
    inbox.postponed(2);
    expect(verdicts(inbox, [3, 2, 3])).toEqual(['early', 'deliver', 'deliver']);
  });

  it('starts over with a gateway that lost its numbering', () => {
    const inbox = new EventInbox(40);
    expect(inbox.resume(2, 1)).toMatchObject({ restarted: true });
    expect(verdicts(inbox, [3])).toEqual(['deliver']);
  });

  it('hands over rising numbers without gap, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 80 }), (seqs) => {
        const inbox = new EventInbox(0);
        inbox.resume(12, 1);
        const out: number[] = [];
        for (const s of seqs) {
          if (inbox.judge(s).verdict !== 'deliver') continue;
          out.push(s);
          inbox.settled(s);
        }
        expect(out).toEqual(out.map((_, i) => i + 1));
        expect(inbox.acked).toBe(out.length);
      }),
    );
  });
});
