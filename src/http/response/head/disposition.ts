/**
 * The name that a client gives to a file whose type says nothing about it: as Bun.serve says it, in the form that RFC
 * 6266 §4.1 demands. `inline` changes nothing for a type that no browser shows.
 */
import { basename } from "node:path";

/** Printable ASCII without what would end a quoted-string or a field, or what some clients decode. */
const plainName = /^[\x20-\x7e]+$/;

/** The line of the head for the file at `path`. */
export function dispositionLine(path: string): string {
  const name = basename(path);
  if (plainName.test(name) && !/["\\%]/.test(name)) {
    return `content-disposition: inline; filename="${name}"\r\n`;
  }
  return `content-disposition: inline; filename*=UTF-8''${extValue(name)}\r\n`;
}

/** RFC 8187 §3.2.1: these are no attr-char, though encodeURIComponent leaves them alone. */
function extValue(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
