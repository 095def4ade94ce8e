/** The interim answer 103 Early Hints (RFC 8297), as text of one character for each byte. */
import { reasonPhrase } from "../../errors.ts";
import { readAppFields } from "./app-fields.ts";

/** A head with its empty line. `ascii`: it has no character above 0x7f. */
export interface InterimHead {
  readonly head: string;
  readonly ascii: boolean;
}

/**
 * The head with the fields that an answer would have of them: none that frames a body or describes the connection.
 * @throws TypeError for a name or a value that isn't one
 */
export function earlyHintsHead(headers: Bun.HeadersInit): InterimHead {
  const { lines, ascii } = readAppFields(new Headers(headers));
  return { head: `HTTP/1.1 103 ${reasonPhrase(103)}\r\n${lines}\r\n`, ascii };
}
