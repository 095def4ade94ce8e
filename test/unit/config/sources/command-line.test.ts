import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/config/sources/command-line.ts";
import { UsageError } from "../../../../src/api/errors.ts";

type Case = readonly [
  words: readonly string[],
  given: Record<string, unknown>,
  positionals?: readonly string[],
];

describe("parseCommandLine()", () => {
  test.each<Case>([
    [[], {}],
    [["app:fetch"], {}, ["app:fetch"]],
    [["-p", "./8000"], { pidfile: "./8000" }],
    [["-p", "8000.pid"], { pidfile: "8000.pid" }],
    [["-w", "3"], { workers: 3 }],
    [["-w3"], { workers: 3 }],
    [["-w=3"], { workers: 3 }],
    [["--workers", "3"], { workers: 3 }],
    [["--workers=3"], { workers: 3 }],
    [["--workers", "auto"], { workers: "auto" }],
    [["--workers", "-1"], { workers: -1 }],
    [["-w", "3", "-w", "4"], { workers: 4 }],
    [["-b", ":1", "--bind=:2", "-b:3"], { bind: [":1", ":2", ":3"] }],
    [["-e", "A=1", "--env", "B=-2"], { rawEnv: ["A=1", "B=-2"] }],
    [["--worker-cl", "serve"], { workerClass: "serve" }],
    [["--keep", "5"], { keepalive: 5 }],
    [["--limit-request-field_size", "9"], { limitRequestFieldSize: 9 }],
    [["--limit-request-field-size", "9"], { limitRequestFieldSize: 9 }],
    [["--limit-request-field-s=9"], { limitRequestFieldSize: 9 }],
    [["--limit-request-fields", "9"], { limitRequestFields: 9 }],
    [["--log-file", "-"], { errorlog: "-" }],
    [["-DR"], { daemon: true, enableStdioInheritance: true }],
    [["-Dw3"], { daemon: true, workers: 3 }],
    [["-Dw", "3"], { daemon: true, workers: 3 }],
    [["--no-sendfile"], { sendfile: false }],
    [["--no-reuse-port"], { reusePort: false }],
    [["--no-reuse-port", "--reuse-port"], { reusePort: true }],
    [["--reuse-port", "--no-reuse-port"], { reusePort: false }],
    [["--no-control-socket"], { controlSocketDisable: true }],
    [["--umask", "0022"], { umask: 0o022 }],
    [["--proxy-protocol"], { proxyProtocol: "auto" }],
    [["--proxy-protocol", "v1"], { proxyProtocol: "v1" }],
    [["--proxy-protocol=v2"], { proxyProtocol: "v2" }],
    [["--proxy-protocol", "-w", "2"], { proxyProtocol: "auto", workers: 2 }],
    [["--chdir="], { chdir: "" }],
    [["--chdir", ""], { chdir: "" }],
    [["--chdir=a=b"], { chdir: "a=b" }],
    [["a:b", "-w", "2"], { workers: 2 }, ["a:b"]],
    [["-w", "2", "--", "-a:b"], { workers: 2 }, ["-a:b"]],
    [["--", "--", "x"], {}, ["--", "x"]],
    [["a", "b"], {}, ["a", "b"]],
  ])("reads %j", (words, given, positionals = []) => {
    const commandLine = parseCommandLine(words);
    expect(Object.fromEntries(commandLine.given)).toEqual(given);
    expect(commandLine.positionals).toEqual([...positionals]);
    expect(commandLine.asked).toBeNull();
  });

  test.each([
    [["-h"], "help"],
    [["--help"], "help"],
    [["-v"], "version"],
    [["--version"], "version"],
    [["--vers"], "version"],
    [["--nonsense", "-h"], "help"],
    [["-w", "2", "-v", "-w", "x"], "version"],
    [["-Dh"], "help"],
  ] as const)("is asked by %j for %s", (words, asked) => {
    expect(parseCommandLine(words).asked).toBe(asked);
  });

  test.each([
    [["-w", "abc"], "argument -w/--workers: invalid int value: 'abc'"],
    [["--workers=0x10"], "argument -w/--workers: invalid int value: '0x10'"],
    [["--umask", "08"], "argument -m/--umask: invalid auto_int value: '08'"],
    [["-b"], "argument -b/--bind: expected one argument"],
    [["-b", "-w", "2"], "argument -b/--bind: expected one argument"],
    [["-b", "--"], "argument -b/--bind: expected one argument"],
    [["--port", "80"], "unrecognized arguments: --port (--port: use --bind HOST:PORT (-b :8000))"],
    [["--port=80"], "unrecognized arguments: --port=80 (--port: use --bind HOST:PORT (-b :8000))"],
    [
      ["--host", "::1", "--uds=a.sock", "--x"],
      "unrecognized arguments: --host --uds=a.sock --x (--host: use --bind HOST:PORT (-b :8000); --uds: use --bind unix:PATH)",
    ],
    [["-i", "max"], "unrecognized arguments: -i (-i: use --workers N, or --workers auto)"],
    [["--wrokers=2"], "unrecognized arguments: --wrokers=2 (--wrokers: did you mean --workers?)"],
    [
      ["--access-log"],
      "ambiguous option: --access-log could match --access-logfile, --access-logformat (--access-log: use --access-logfile -)",
    ],
    [
      ["-p", "8000"],
      "argument -p/--pid: '8000' is the pid file's name, for a port use --bind :8000, for a file ./8000",
    ],
    [
      ["--pid=80"],
      "argument -p/--pid: '80' is the pid file's name, for a port use --bind :80, for a file ./80",
    ],
    [["--x"], "unrecognized arguments: --x"],
    [["--x=1", "a", "-z"], "unrecognized arguments: --x=1 -z"],
    [["--no-reload"], "unrecognized arguments: --no-reload"],
    [
      ["--work", "3"],
      "ambiguous option: --work could match --workers, --worker-class, --worker-connections, --worker-tmp-dir",
    ],
    [["--he"], "ambiguous option: --he could match --help, --header-timeout, --header-map"],
    [
      ["-t", "30s"],
      "argument -t/--timeout: invalid int value: '30s' (a number of seconds, without a unit)",
    ],
    [["--max-requests", "30s"], "argument --max-requests: invalid int value: '30s'"],
    [["--reload=1"], "argument --reload: ignored explicit argument '1'"],
    [["--check-config=1"], "argument --check-config: ignored explicit argument '1'"],
    [["-Dx"], "argument -D/--daemon: ignored explicit argument 'x'"],
  ] as const)("refuses %j", (words, message) => {
    expect(() => parseCommandLine(words)).toThrow(new UsageError(message));
  });
});
