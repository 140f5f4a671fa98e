// The stock OpenFeature client: reads one question a line from stdin, writes one answer a line to stdout.
import { createInterface } from 'node:readline';
import { OpenFeature } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';

const [baseUrl, token] = process.argv.slice(2);
await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl, headers: [['Authorization', `Bearer ${token}`]] }),
);
const client = OpenFeature.getClient();
const kinds = {
  number: (key, value, context) => client.getNumberDetails(key, value, context),
  object: (key, value, context) => client.getObjectDetails(key, value, context),
  string: (key, value, context) => client.getStringDetails(key, value, context),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { kind, key, value, context } = JSON.parse(line);
  const { value: served, reason, variant, errorCode, flagMetadata } = await kinds[kind](key, value, context ?? {});
  console.log(JSON.stringify({ value: served, reason, variant, errorCode, flagMetadata }));
}
