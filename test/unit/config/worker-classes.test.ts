import { describe, expect, test } from "bun:test";
import { ownFile } from "../../../src/own-files.ts";
import { type SettingKey, settingOf, settings } from "../../../src/config/settings.ts";
import {
  flagFor,
  type OnlyValues,
  refuseTakingOver,
  workerClassEntries,
} from "../../../src/config/worker-classes.ts";

describe.each(workerClassEntries)("worker class %s", (_name, row) => {
  test("refuses settings that there are, and takes values that there are", () => {
    const wrong = [...Object.keys(row.refuses), ...Object.keys(row.takesOnly)].filter(
      (key) => !Object.hasOwn(settings, key),
    );
    expect(wrong).toEqual([]);
    for (const [key, { values }] of Object.entries<OnlyValues>(row.takesOnly)) {
      const { kind } = settingOf(key as SettingKey);
      const facts = { cwd: "/", platform: "linux", cpuCount: () => 1 };
      const read = (value: string) => kind.read?.(value) ?? value;
      const raw = (value: string) => (kind.takes === "nothing" ? value === "true" : read(value));
      const shown = values.map((value) => kind.show(kind.parse(raw(value), facts)));
      expect(shown).toEqual([...values]);
    }
  });

  test("stands where the table says", async () => {
    const path = ownFile(String(row.code?.source));
    const exports = (await import(path)) as Record<string, unknown>;
    expect(exports[String(row.code?.export)]).toBeFunction();
  });
});

test("advice names a class that does it", () => {
  expect(flagFor("websocket")).toBe("--worker-class async");
  const advice = "worker class serve can't take over sockets, use --worker-class async";
  expect(refuseTakingOver("serve")).toBe(advice);
});
