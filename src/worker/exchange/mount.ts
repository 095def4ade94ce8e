/** What stands around the app: the scheme that a trusted proxy reports, and the path that the app is mounted at. */
import {
  readScheme as readSchemeHeaders,
  readScriptName,
  type Scheme,
  type SchemeHeaders,
  splitScriptName,
} from "../../http/proxy/forwarded.ts";
import type { Head } from "../../http/syntax/head.ts";

export interface MountSettings {
  readonly schemeHeaders: SchemeHeaders;
  /** The environment variable SCRIPT_NAME: where the app is mounted; empty for the root. */
  readonly scriptName: string;
  /** forwarder_headers lets a trusted peer name the mount. */
  readonly scriptNameHeader: boolean;
}

/** The request's scheme: `own`, the listener's, unless a trusted peer says another one. */
export function readScheme(
  head: Head,
  trusted: boolean,
  own: Scheme,
  { schemeHeaders }: MountSettings,
): Scheme | "contradictory scheme headers" {
  return trusted ? readSchemeHeaders(head, schemeHeaders, own) : own;
}

/** The target as the app sees it, without the path that it is mounted at; null: as it was sent. */
export function readMount(
  head: Head,
  trusted: boolean,
  { scriptName, scriptNameHeader }: MountSettings,
): string | null | "path outside script name" {
  const mount = trusted && scriptNameHeader ? (readScriptName(head) ?? scriptName) : scriptName;
  if (mount === "" || head.targetForm !== "origin") return null;
  return splitScriptName(head.target, mount) ?? "path outside script name";
}
