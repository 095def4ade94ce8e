/** Apps of fastify-cli: a plugin, which its command registers in a Fastify that it makes. So does this. */
import { AppImportError } from "../modules/errors.ts";

interface Fastify {
  register(plugin: unknown): unknown;
  listen(options: { readonly host: string; readonly port: number }): Promise<unknown>;
}

/**
 * Makes a Fastify of a plugin, and lets it listen; null for what is none. `fastify` is found from the current directory.
 * @param describe the plugin, for messages: `app.js: default`
 */
export function pluginOf(value: unknown, describe: string): (() => Promise<void>) | null {
  return isPlugin(value) ? () => listen(value, describe) : null;
}

/** By the name that a plugin's first parameter has in all of Fastify's documentation and templates. */
function isPlugin(value: unknown): value is object {
  if (typeof value !== "function") return false;
  const text = Function.prototype.toString.call(value);
  return /^(?:async\s+)?(?:function\s*[\w$]*\s*)?\(?\s*fastify\s*(?:[,)]|=>)/.test(text);
}

async function listen(plugin: object, describe: string): Promise<void> {
  const server = (await importFastify(describe))();
  server.register(plugin);
  // Of no account, as the capture takes it; but for localhost Fastify would open a second server, of its other address.
  await server.listen({ host: "127.0.0.1", port: 8000 });
}

async function importFastify(describe: string): Promise<() => Fastify> {
  let path: string;
  try {
    path = Bun.resolveSync("fastify", process.cwd());
  } catch {
    throw new AppImportError(`${describe} is a Fastify plugin, and fastify isn't installed`);
  }
  const { default: create } = (await import(path)) as { readonly default: () => Fastify };
  return create;
}
