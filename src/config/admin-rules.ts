/** Rules of the admin server's settings: an address that it can have, and a token that is said once. */
import { ConfigError } from "../api/errors.ts";
import { type Address, parseAddress, sameAddress } from "../net/bind-address.ts";
import { bindAddresses } from "../net/secure-addresses.ts";
import type { Config, SettingKey } from "./types.ts";

/** The variable with the token. It is the master's alone. */
export const adminTokenVariable = "GUNICORN_ADMIN_TOKEN";

type Settings = Pick<Config, "adminBind" | "chdir">;

/**
 * Null without admin_bind.
 * @throws ConfigError, which doesn't name the setting
 */
export function adminAddress({ adminBind, chdir }: Settings): Address | null {
  if (adminBind === null) return null;
  if (/^(https|fd):\/\//i.test(adminBind))
    throw new ConfigError(`must be HOST:PORT or unix:PATH, without TLS, got '${adminBind}'`);
  return parseAddress(adminBind, chdir);
}

/**
 * @param given the places of the settings that a file or a command line sets, by setting
 * @throws ConfigError
 */
export function checkAdminRules(
  config: Config,
  given: ReadonlyMap<SettingKey, string>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const { adminBind, adminTokenFile } = config;
  const refuse = (key: SettingKey, text: string): never => {
    throw new ConfigError(`${given.get(key) ?? key}: ${text}`);
  };
  if (adminBind === null) {
    if (adminTokenFile !== null) refuse("adminTokenFile", "needs admin_bind, which isn't set");
    return;
  }
  if (adminTokenFile !== null && (env[adminTokenVariable] ?? "") !== "")
    refuse("adminTokenFile", `can't be set beside ${adminTokenVariable}`);
  const address = placed(
    () => adminAddress(config),
    (text) => refuse("adminBind", text),
  );
  // The kernel gives each socket another port for 0.
  const isAny = address?.type === "tcp" && address.port === 0;
  const taken =
    address !== null && bindAddresses(config).some((each) => sameAddress(each, address));
  if (taken && !isAny) refuse("adminBind", `${adminBind} is an address of bind`);
}

function placed<Value>(read: () => Value, refuse: (text: string) => never): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return refuse(error.message);
  }
}
