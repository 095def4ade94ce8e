/** Tables of what kinds of values make of values. */
import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../../src/api/errors.ts";
import type { Kind } from "../../../../src/config/values/kinds.ts";
import { facts } from "../facts.ts";

export type Taken = readonly [name: string, kind: Kind<unknown>, value: unknown, result: unknown];

export function parseTakes(cases: readonly Taken[]): void {
  describe("parse() takes", () => {
    test.each(cases)("%s", (_name, kind, value, result) => {
      expect(kind.parse(value, facts)).toEqual(result);
    });
  });
}

export type Refused = readonly [name: string, kind: Kind<unknown>, value: unknown, message: string];

/** `message` is the whole of a ConfigError's. */
export function parseRefuses(cases: readonly Refused[]): void {
  describe("parse() refuses", () => {
    test.each(cases)("%s", (_name, kind, value, message) => {
      expect(() => kind.parse(value, facts)).toThrow(new ConfigError(message));
    });
  });
}
