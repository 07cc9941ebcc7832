import { describe, expect, it } from 'vitest';
import { type SiteFile, SiteFile as SiteFileMessage } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

const paths = (patch: Partial<SiteFile>): string[] =>
  SiteFileMessage.check(siteFile(patch)).map((i) => `${i.path} ${i.message}`);
const evse = { evse: 1, current: 'ac', maxImportW: 11_000 } as const;

describe('site file', () => {
  it('of a whole site is valid', () => {
    expect(SiteFileMessage.check(siteFile())).toEqual([]);
  });

  it.each<[string, Partial<SiteFile>, RegExp]>([
    [
      'a circuit below one that is missing',
      { circuits: [{ circuitId: 'a', parentId: 'b', importLimitW: 1, exportLimitW: 1 }], stations: [] },
      /^\/circuits\/0\/parentId no circuit is called b$/,
    ],
    [
      'a circuit that is its own ancestor',
      {
        circuits: [
          { circuitId: 'a', parentId: 'b', importLimitW: 1, exportLimitW: 1 },
          { circuitId: 'b', parentId: 'a', importLimitW: 1, exportLimitW: 1 },
        ],
        stations: [],
      },
      /own ancestor/,
    ],
    [
      'a circuit twice',
      {
        circuits: [
          { circuitId: 'a', importLimitW: 1, exportLimitW: 1 },
          { circuitId: 'a', importLimitW: 1, exportLimitW: 1 },
        ],
        stations: [],
      },
      /declared twice/,
    ],
    [
      'an EVSE on an unknown circuit',
      { stations: [{ identity: 'X', evses: [{ ...evse, circuitId: 'k9' }] }] },
      /^\/stations\/0\/evses\/0\/circuitId/,
    ],
    [
      'two EVSE with one resource id',
      {
        stations: [
          { identity: 'X', evses: [evse] },
          { identity: 'Y', evses: [{ ...evse, resourceId: 'X.1' }] },
        ],
      },
      /^\/stations\/1\/evses\/0\/resourceId X\.1 is already/,
    ],
    ['an identity with a colon', { stations: [{ identity: 'X:1', evses: [evse] }] }, /no colon/],
    [
      'a group with a stranger',
      { groups: [{ groupId: 'g', members: ['ghost'], referencePoint: 'group' }] },
      /^\/groups\/0\/members\/0 .*ghost/,
    ],
    ['a contract with nobody', { parties: [] }, /^\/contracts\/0\/foId/],
  ])('with %s is refused at the field', (_what, patch, expected) => {
    expect(paths({ groups: [], ...patch })).toContainEqual(expect.stringMatching(expected));
  });

  it('derives resource ids from the identity, with foreign characters replaced', () => {
    const two = [
      { identity: 'Säule 1', evses: [evse] },
      { identity: 'S_ule 1', evses: [evse] },
    ];
    expect(paths({ stations: two, groups: [], contracts: [] }).join()).toContain(
      'S_ule_1.1 is already the id of Säule 1',
    );
  });
});
