import { id, int, list, message, type Of, oneOf, opt, ref, text } from '../core/schema.ts';
import { EVSE_FUNCTIONS, EvcsConfiguration } from './evcs.ts';
import { FlexGroup, ResourceState } from './resource.ts';

const MAX_REVISION = 2_147_483_647;

export const PublishResources = message(
  'PublishResources',
  {
    mode: oneOf('full', 'delta'),
    revision: int({ min: 0, max: MAX_REVISION }),
    evcs: list(ref(EvcsConfiguration), { max: 1000 }),
    groups: opt(list(ref(FlexGroup), { max: 1000 })),
    removed: opt(list(id(), { max: 10_000, doc: 'Ids of EVCS and groups that are no longer there.' })),
  },
  {
    clause: 'fo 4.3 no. 6',
    doc: 'What the stations of a party’s contracts are and can do.',
    example: { mode: 'full', revision: 1, evcs: [EvcsConfiguration.example], groups: [FlexGroup.example] },
  },
);
export type PublishResources = Of<typeof PublishResources>;

export const QueryResources = message(
  'QueryResources',
  {
    siteId: opt(id()),
    groupId: opt(id()),
    gridNode: opt(id()),
    function: opt(oneOf(...EVSE_FUNCTIONS)),
    sinceRevision: opt(int({ min: 0, max: MAX_REVISION, doc: 'Only when something is newer than this.' })),
    page: opt(text({ max: 128, doc: 'nextPage of the answer before.' })),
  },
  {
    clause: 'fo 4.3 no. 7',
    doc: 'Asks for configuration and state of what the contracts of the party cover.',
    example: { groupId: 'g:depot' },
  },
);
export type QueryResources = Of<typeof QueryResources>;

export const ResourcePage = message(
  'ResourcePage',
  {
    revision: int({ min: 0, max: MAX_REVISION }),
    evcs: list(ref(EvcsConfiguration), { max: 1000 }),
    states: list(ref(ResourceState), { max: 1000 }),
    nextPage: opt(text({ max: 128 })),
  },
  {
    clause: 'fo 4.3 no. 7',
    doc: 'The data of the answer to QueryResources.',
    example: { revision: 1, evcs: [EvcsConfiguration.example], states: [ResourceState.example] },
  },
);
export type ResourcePage = Of<typeof ResourcePage>;
