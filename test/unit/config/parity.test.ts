import { describe, expect, test } from "bun:test";
import type { Setting } from "../../../src/config/setting.ts";
import { gunicornName, sections, settings } from "../../../src/config/settings.ts";
import gunicorn from "../../fixtures/config/gunicorn-settings.json";

/** Ours, beyond Gunicorn's. */
const additions = ["--no-reuse-port", "--limit-request-field-size INT"];

const ours = sections.flatMap(({ title, settings }) =>
  Object.entries(settings)
    .filter(([, row]) => row.ours !== true)
    .map(([key, row]) => ({ name: gunicornName(key), section: title, flags: flagsOf(row) })),
);

/** Each spelling with its metavar, as in Gunicorn's documentation. */
function flagsOf({ flags = [], kind, metavar = kind.metavar }: Setting): string[] {
  const value = kind.takes === "optional" ? ` [${metavar}]` : ` ${metavar}`;
  return flags
    .flatMap(({ short, long, alias }) => [short, long, alias])
    .filter((word) => word !== undefined)
    .map((word) => (kind.takes === "nothing" ? word : `${word}${value}`))
    .filter((word) => !additions.includes(word));
}

describe("the settings table", () => {
  test("has a row for each of Gunicorn's settings, and no other", () => {
    expect(gunicorn).toHaveLength(128);
    expect(ours.map(({ name }) => name).sort()).toEqual(gunicorn.map(({ name }) => name).sort());
    const names = Object.entries(settings).filter(
      ([, row]) => !("ours" in row && row.ours === true),
    );
    expect(names.map(([key]) => gunicornName(key))).toEqual(ours.map(({ name }) => name));
  });

  test.each(gunicorn)("has $name in its section, with its flags", ({ name, section, flags }) => {
    const row = ours.find((row) => row.name === name);
    expect(row).toEqual({ name, section, flags: expect.any(Array) });
    expect(row?.flags.sort()).toEqual(flags.sort());
  });

  test("has defaults that its own kinds accept", () => {
    const facts = { cwd: "/", platform: "linux", cpuCount: () => 1 } as const;
    for (const { settings } of sections) {
      for (const [key, { kind, default: value }] of Object.entries(settings)) {
        // Absolute from the start.
        if (key !== "chdir") expect(kind.parse(value, facts)).toEqual(value);
      }
    }
  });
});
