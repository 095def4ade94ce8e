import { expect, test } from "bun:test";
import { join } from "node:path";

const library = join(import.meta.dir, "../../../../src/index.ts");

/** Runs a program that imports the package, where no server is, and answers what it writes to standard error. */
function run(program: string): string {
  const text = `import { log, Logger } from ${JSON.stringify(library)};\n${program}`;
  const { stderr, exitCode } = Bun.spawnSync([process.execPath, "-e", text]);
  expect(exitCode).toBe(0);
  return stderr.toString().replaceAll(/^\[[^\]]+\] \[\d+\] /gm, "");
}

const rows: [claim: string, program: string, expected: string][] = [
  [
    "without a server, lines from info on go to standard error",
    `for (const level of ["debug", "info", "warning", "error", "exception", "critical"]) log[level](level);`,
    "[INFO] info\n[WARNING] warning\n[ERROR] error\n[ERROR] exception\n[CRITICAL] critical\n",
  ],
  [
    "a metric alone is no line",
    `log.info("", { metric: "m", value: 1, mtype: "gauge" }); log.debug("", { metric: "m", value: 1, mtype: "gauge" });`,
    "",
  ],
  [
    "what isn't a text is written as one",
    `log.info(Symbol("s"), null); log.error(null);`,
    "[INFO] Symbol(s)\n[ERROR] null\n",
  ],
  [
    "a Logger can be made without a server too",
    `const logger = new Logger({ chdir: "/" }); logger.info(logger.cfg.chdir); logger.access({}); logger.flush(); logger.close();`,
    "[INFO] /\n",
  ],
  [
    "the server isn't imported",
    `const files = Object.keys(require.cache).filter((file) => file.includes("/src/"));
     const wrong = files.filter((file) => !/src\\/(index|api\\/current-trace|log\\/(custom\\/logger|lines\\/(describe-error|line-format|local-time))|os\\/write-fully)\\.ts$/.test(file));
     log.info(files.length + " " + wrong.join());`,
    "[INFO] 7 \n",
  ],
];

test.each(rows)("%s", (_claim, program, expected) => {
  expect(run(program)).toBe(expected);
});

test("two copies of the package share the server's log", async () => {
  const { provideLog, log } = await import("../../../../src/log/custom/logger.ts");
  const copy = (await import("../../../../src/log/custom/logger.ts?copy" as string)) as {
    log: typeof log;
  };
  expect(copy.log).not.toBe(log);
  const lines: string[] = [];
  const say = (message: string) => void lines.push(message);
  const all = { critical: say, error: say, exception: say, warning: say, info: say, debug: say };
  provideLog(all);
  copy.log.info("hello");
  log.debug("again");
  expect(lines).toEqual(["hello", "again"]);
});
