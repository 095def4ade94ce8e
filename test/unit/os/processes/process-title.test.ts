import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argumentAddresses, processTitle } from "../../../../src/os/processes/process-title.ts";

const module = join(import.meta.dir, "../../../../src/os/processes/process-title.ts");

test("argumentAddresses() finds its way past a name with blanks and brackets", () => {
  const rest = Array.from({ length: 50 }, (_, index) => index + 3);
  expect(argumentAddresses(`12 (a) b (c)) ${rest.join(" ")}\n`)).toEqual([48, 49]);
  expect(argumentAddresses("")).toEqual([]);
});

test("processTitle() prefers the set name", () => {
  const names = { procName: null, defaultProcName: "app:fetch" };
  expect(processTitle("master", names)).toBe("gunicorn: master [app:fetch]");
  expect(processTitle("worker", { ...names, procName: "shop" })).toBe("gunicorn: worker [shop]");
});

/** Sets titles in a process of its own, and prints what the kernel shows of it. */
function show(
  code: string,
  ...args: string[]
): { cmdlines: string[]; comm: string; argv: string[] } {
  const source = `import { setProcessTitle } from ${JSON.stringify(module)};
    import { readFileSync } from "node:fs";
    const cmdlines = [];
    const set = (title) => {
      setProcessTitle(title);
      cmdlines.push(readFileSync("/proc/self/cmdline", "utf8").replace(/\\0+$/, ""));
    };
    ${code}
    Bun.gc(true);
    const comm = readFileSync("/proc/self/comm", "utf8").trim();
    console.log(JSON.stringify({ cmdlines, comm, argv: process.argv.slice(1) }));`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", source, ...args]);
  return JSON.parse(stdout.toString()) as ReturnType<typeof show>;
}

test.skipIf(process.platform !== "linux")("setProcessTitle() shows the last title, whole", () => {
  const shown = show(`set("gunicorn: master [a long name]"); set("gunicorn: été");`, "-", "word");
  expect(shown.cmdlines).toEqual(["gunicorn: master [a long name]", "gunicorn: été"]);
  expect(shown.comm).toBe("gunicorn: été");
});

test.skipIf(process.platform !== "linux")(
  "a title is cut where the memory ends, and argv stays",
  () => {
    const shown = show(`set("x".repeat(1e6));`, "first", "second");
    const [cmdline = ""] = shown.cmdlines;
    expect(cmdline).toMatch(/^x{100,}$/);
    expect(shown.comm).toBe("x".repeat(15));
    expect(shown.argv).toEqual(["first", "second"]);
    expect(readFileSync("/proc/self/comm", "utf8")).not.toContain("xxx");
  },
);
