import { createOcppSchemas } from '../bridges/ocpp/schemas.ts';
import type { Schemas } from '../core/mapping/index.ts';
import { HUB_MESSAGES, type HubMessageName, LANGUAGES, MappingContext } from '../model/index.ts';

/** The forms of all messages that mappings of this gateway may take or make. Schemas are read when they are first needed. */
export function mappingSchemas(): Schemas {
  const ocpp = createOcppSchemas();
  return {
    message(topic) {
      const name = topic.startsWith('hub/') ? topic.slice(4) : '';
      return isHubMessage(name) ? HUB_MESSAGES[name] : ocpp.message(topic);
    },
    fault(topic, payload) {
      const name = topic.startsWith('hub/') ? topic.slice(4) : '';
      if (!isHubMessage(name)) return ocpp.fault(topic, payload);
      const [first] = HUB_MESSAGES[name].check(payload);
      return first && `${first.path} ${first.message}`;
    },
    topics: () => [...Object.keys(HUB_MESSAGES).map((name) => `hub/${name}`), ...ocpp.topics()],
    languages: LANGUAGES,
    context: MappingContext,
  };
}

const isHubMessage = (name: string): name is HubMessageName => Object.hasOwn(HUB_MESSAGES, name);
