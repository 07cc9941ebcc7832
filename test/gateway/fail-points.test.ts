import { describe, expect, it } from 'vitest';
import { describeError } from '../../core/errors.ts';
import { FAIL_POINTS, type FailPoint, failChannel, failPoint } from '../../core/failpoint.ts';
import { readSettings } from '../../gateway/settings.ts';

const read = (env: Record<string, string>) => readSettings(env, { demoSiteFile: '/demo/site.json' });
const refused = (env: Record<string, string>): string => {
  try {
    read(env);
  } catch (e) {
    return describeError(e).what;
  }
  throw new Error('nothing was refused');
};

describe('fail points', () => {
  it('are off unless somebody asks for one', () => {
    expect(read({})).toMatchObject({ test: false, failPoint: undefined });
    const points = Object.keys(FAIL_POINTS) as FailPoint[];
    expect(points.filter((p) => failChannel(p).hasSubscribers)).toEqual([]);
    for (const p of points) expect(failPoint(p)).toBeUndefined();
  });

  it('are refused outside of tests', () => {
    expect(refused({ V2GATE_FAIL_POINT: 'result.sent' })).toContain('needs V2GATE_TEST=1 too');
    expect(refused({ V2GATE_FAIL_POINT: 'result.sent', V2GATE_TEST: 'off' })).toContain('V2GATE_TEST=1');
  });

  it('are named with the passage at which the process ends, the first by default', () => {
    const armed = (text: string) => read({ V2GATE_FAIL_POINT: text, V2GATE_TEST: '1' }).failPoint;
    expect(armed('result.sent')).toEqual({ point: 'result.sent', hit: 1 });
    expect(armed('result.sent:17')).toEqual({ point: 'result.sent', hit: 17 });
    for (const bad of ['nowhere', 'result.sent:0', 'result.sent:', 'result.sent:x', 'toString', 'result.sent:1000000'])
      expect(refused({ V2GATE_FAIL_POINT: bad, V2GATE_TEST: '1' })).toContain('V2GATE_FAIL_POINT must be');
  });

  it('tell each passage to whoever has armed them, under their own name alone', () => {
    const heard: string[] = [];
    const hear = () => heard.push('result.sent');
    failChannel('result.sent').subscribe(hear);
    failPoint('result.sent');
    failPoint('result.stored');
    failPoint('result.sent');
    failChannel('result.sent').unsubscribe(hear);
    failPoint('result.sent');
    expect(heard).toEqual(['result.sent', 'result.sent']);
  });
});
