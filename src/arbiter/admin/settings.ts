/** The settings of the admin server, with its token: what can't be read refuses the configuration. */
import { ConfigError } from "../../api/errors.ts";
import { adminAddress, adminTokenVariable } from "../../config/admin-rules.ts";
import type { Config } from "../../config/types.ts";
import type { OpenOptions } from "../../listen/open-group.ts";
import type { Address } from "../../net/bind-address.ts";
import { readPart } from "../../tls/pem/read-file.ts";
import { identityOf } from "../../os/processes/privileges.ts";
import { isPublic } from "./guard.ts";

export interface AdminSettings {
  readonly address: Address;
  readonly options: OpenOptions;
  /** What a client must show to see figures; null: nothing. */
  readonly token: string | null;
}

export interface Surroundings {
  /** The environment that the program was started with: it may hold the token. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (message: string) => void;
}

/**
 * Null without admin_bind.
 * @throws ConfigError
 */
export function readAdminSettings(
  config: Config,
  { env, warn }: Surroundings,
): AdminSettings | null {
  const address = adminAddress(config);
  if (address === null) return null;
  const token = readToken(config, env);
  if (token === null && isPublic(address)) {
    const remedy = "set admin_token_file, or bind it to 127.0.0.1 or a unix socket";
    warn(`admin_bind: whoever reaches ${config.adminBind} can read the figures: ${remedy}`);
  }
  return {
    address,
    options: {
      backlog: config.backlog,
      kind: "shared",
      umask: config.umask,
      owner: identityOf(config),
    },
    token,
  };
}

function readToken({ adminTokenFile, chdir }: Config, env: Surroundings["env"]): string | null {
  if (adminTokenFile === null) return checked(adminTokenVariable, env[adminTokenVariable]);
  const { place, text } = readPart("adminTokenFile", adminTokenFile, chdir);
  const token = checked(place, text.trim());
  if (token === null) throw new ConfigError(`${place}: must hold a token, it is empty`);
  return token;
}

/** As much as RFC 6750 §2.1 lets a client send; null for an empty one. */
function checked(place: string, token = ""): string | null {
  if (token === "" || /^[A-Za-z0-9\-._~+/]+=*$/.test(token)) return token || null;
  throw new ConfigError(`${place}: must be letters, digits and -._~+/ with = at the end only`);
}
