import { describe, expect, test } from "bun:test";
import { describeDefault } from "../../../src/cli/command.ts";
import { renderHelp, usageLine } from "../../../src/cli/usage.ts";
import { sections, settingEntries } from "../../../src/config/settings.ts";

const help = renderHelp();
/** Each flag's lines, the description joined to the flags. */
const entries = help
  .replaceAll(/(\S)\n {10,}/g, "$1  ")
  .split("\n")
  .filter((line) => line.startsWith("  -"));

function entryOf(flag: string): string | undefined {
  return entries.find((line) => new RegExp(`[ ]${flag}(?:[ =,]|$)`).test(line));
}

describe("renderHelp()", () => {
  test("starts with the usage line and has no colours", () => {
    expect(help.split("\n")[0]).toBe(usageLine);
    expect(usageLine).toBe("usage: gunicorn-ts [OPTIONS] [APP_MODULE]");
    expect(Bun.stripANSI(help)).toBe(help);
  });

  test("names each section that has flags, in Gunicorn's order", () => {
    const titles = help.match(/^.+(?=:\n {2}-)/gm);
    const hooks = ["Server Hooks", "Dirty Arbiter Hooks"];
    const expected = sections.map(({ title }) => title).filter((title) => !hooks.includes(title));
    expect(titles).toEqual(["Options", ...expected]);
  });

  const shown = settingEntries.filter(
    ([, { flags, status }]) => flags !== undefined && typeof status === "string",
  );
  test.each(shown.map(([key]) => key))("shows the flags and the default of %s", (key) => {
    const row = settingEntries.find(([name]) => name === key)?.[1];
    for (const [index, { long, short, alias }] of (row?.flags ?? []).entries()) {
      const entry = entryOf(long);
      for (const word of [short, alias]) if (word !== undefined) expect(entry).toContain(word);
      if (row !== undefined && index === 0) expect(entry).toEndWith(` [${describeDefault(row)}]`);
      expect(entry?.includes("(not supported yet)")).toBe(row?.status === "planned");
    }
  });

  test.each([
    ["--workers", "-w, --workers=<INT>"],
    ["--workers", "How many worker processes handle requests [1]"],
    ["--bind", "[127.0.0.1:8000]"],
    ["--reuse-port", "[true; false on macOS]"],
    ["--no-reuse-port", "The opposite of --reuse-port"],
    ["--dirty-app", "(not supported yet)"],
    ["--proxy-protocol", "--proxy-protocol=<MODE>"],
    ["--help", "-h, --help"],
    ["--version", "-v, --version"],
  ])("says at %s: %s", (flag, text) => {
    expect(entryOf(flag)).toContain(text);
  });

  test("leaves out what is for Python only", () => {
    for (const flag of ["--paste", "--pythonpath", "--spew", "--tolerate-dangerous-framing"]) {
      expect(entryOf(flag)).toBeUndefined();
    }
  });
});
