// A foreign OpenID Connect provider for tests: npm `oidc-provider`, in memory, with two people and one client.
//
// Usage: node provider.mjs <redirect address of the client>. Prints `{"issuer": ...}` on one line once it listens, on
// a port that the system picks, and ends when its input ends. The client is `polder` with the secret `polder-secret`;
// anna is in the group `city-admins`, bert in none. The pages that ask for a name and for consent are its own.
import { createServer } from 'node:http';
import process from 'node:process';
import { Provider } from 'oidc-provider';

const [redirect] = process.argv.slice(2);
if (!redirect) {
  console.error('provider.mjs needs the redirect address of the client, for example http://127.0.0.1:8080/callback');
  process.exit(2);
}

const groups = { anna: ['city-admins'], bert: [] };

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'polder',
      client_secret: 'polder-secret',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  cookies: { keys: ['only for tests'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) =>
    id in groups
      ? { accountId: id, claims: () => ({ sub: id, preferred_username: id, groups: groups[id] }) }
      : undefined,
});

server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
