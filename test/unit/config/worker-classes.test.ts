import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { settings } from "../../../src/config/settings.ts";
import {
  flagFor,
  refuseTakingOver,
  workerClassEntries,
} from "../../../src/config/worker-classes.ts";

describe.each(workerClassEntries)("worker class %s", (_name, row) => {
  test("refuses settings that there are, and switches off that there are", () => {
    const wrong = [...Object.keys(row.refuses), ...Object.keys(row.refusesOff)].filter(
      (key) => !Object.hasOwn(settings, key),
    );
    expect(wrong).toEqual([]);
    const switches = Object.keys(row.refusesOff) as (keyof typeof settings)[];
    expect(switches.filter((key) => settings[key].kind.takes !== "nothing")).toEqual([]);
  });

  test("stands where the table says", async () => {
    const path = join(import.meta.dir, "../../../src/worker", String(row.code?.module));
    const exports = (await import(path)) as Record<string, unknown>;
    expect(exports[String(row.code?.export)]).toBeFunction();
  });
});

test("advice names a class that does it", () => {
  expect(flagFor("websocket")).toBe("--worker-class async");
  const advice = "worker class serve can't take over sockets, use --worker-class async";
  expect(refuseTakingOver("serve")).toBe(advice);
});
