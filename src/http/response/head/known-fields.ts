/**
 * Fields that an app gives to `new Response()` as a plain object, and that it has given before: their lines are known, and
 * the Response's own Headers needn't be made, which costs more than the rest of a small answer (bench: headers).
 *
 * What a Response was given is what it sends unless its Headers have changed since. They change by three methods, which
 * count in a worker: as long as none was called, by whomever, nothing has changed.
 */
import { Patience } from "../../patience.ts";
import { type AppFields, noFields, readAppFields } from "./app-fields.ts";

/** What an app has given, and what the native Headers have made of it; null: nobody has asked yet. */
export interface KnownFields {
  readonly names: readonly string[];
  readonly values: readonly string[];
  fields: AppFields | null;
}

/** Of a Response without any. */
export const noFieldsGiven: KnownFields = { names: [], values: [], fields: noFields };

const places = 8;

const known: KnownFields[] = [];
let next = 0;
const patience = new Patience();

/** What has been given before comes first. */
let last: KnownFields | null = null;

let changes = 0;

/** How often any Headers have changed. */
export function headerChanges(): number {
  return changes;
}

/** To be called when Headers change. */
export function headersChange(): void {
  changes += 1;
}

/** Of the option `headers`; null if it is something else than an object of texts, or isn't worth to be remembered. */
export function knownFields(headers: unknown): KnownFields | null {
  if (typeof headers !== "object" || headers === null) return null;
  if (Object.getPrototypeOf(headers) !== Object.prototype) return null;
  const given = headers as Readonly<Record<string, unknown>>;
  if (last !== null && isSame(given, last)) return last;
  for (const each of known) {
    if (!isSame(given, each)) continue;
    patience.found();
    last = each;
    return each;
  }
  return patience.missed() ? remember(given) : null;
}

/** By type: apps have a few. */
const ofTypes = new Map<string, KnownFields>();
const rememberedTypes = 64;

/** Of a Response of a file of that type, without an option `headers`: Bun adds the type, if there is one. */
export function typeFields(type: string): KnownFields | null {
  const found = ofTypes.get(type);
  if (found !== undefined) return found;
  if (ofTypes.size === rememberedTypes) return null;
  const made = { names: [], values: [], fields: null };
  ofTypes.set(type, made);
  return made;
}

/** The fields of an answer that has them from one of these, as long as no Headers have changed. */
export function fieldsOf(response: Response, given: KnownFields): AppFields {
  given.fields ??= readAppFields(response.headers);
  return given.fields;
}

function isSame(given: Readonly<Record<string, unknown>>, { names, values }: KnownFields): boolean {
  let at = 0;
  for (const name in given) {
    if (name !== names[at] || given[name] !== values[at]) return false;
    at += 1;
  }
  return at === names.length;
}

function remember(given: Readonly<Record<string, unknown>>): KnownFields | null {
  const names: string[] = [];
  const values: string[] = [];
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (typeof value !== "string") return null;
    names.push(name);
    values.push(value);
  }
  const made = { names, values, fields: null };
  known[next] = made;
  next = (next + 1) % places;
  return made;
}
