import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/config/sources/command-line.ts";
import { foreignFlags } from "../../../../src/config/sources/foreign-flags.ts";
import { settingEntries } from "../../../../src/config/settings.ts";

const working = new Set<string>(
  settingEntries.flatMap(([, { flags = [], status }]) =>
    status === "works" ? flags.flatMap(({ long, short }) => [long, short ?? long]) : [],
  ),
);

describe("foreignFlags", () => {
  test.each(Object.entries(foreignFlags))("%s is told with its hint", (flag, hint) => {
    expect(() => parseCommandLine([flag])).toThrow(`(${flag}: ${hint})`);
    expect(() => parseCommandLine([`${flag}=x`, "app"])).toThrow(`(${flag}: ${hint})`);
  });

  test.each(Object.entries(foreignFlags))("%s: the hint names flags that work", (_, hint) => {
    const named = hint.match(/(?<![\w-])--?[a-zA-Z][\w-]*/g) ?? [];
    const known = named.filter((flag) => flag !== "--bun");
    expect(known.filter((flag) => !working.has(flag))).toEqual([]);
  });
});
