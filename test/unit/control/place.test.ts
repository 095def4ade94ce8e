import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../../src/api/errors.ts";
import { socketPath } from "../../../src/control/place.ts";

type Row = [
  claim: string,
  settings: { controlSocket: string; pidfile?: string },
  env: Record<string, string>,
  path: string,
];

describe("socketPath()", () => {
  const first = { pid: 42, second: false };
  const rows: Row[] = [
    ["takes a path", { controlSocket: "/run/app.ctl" }, {}, "/run/app.ctl"],
    ["takes it from chdir", { controlSocket: "app.ctl" }, {}, "/srv/app.ctl"],
    [
      "is beside the pid file",
      { controlSocket: "auto", pidfile: "/run/app.pid" },
      { XDG_RUNTIME_DIR: "/run/user/0" },
      "/run/app.ctl",
    ],
    [
      "is beside a pid file of another name",
      { controlSocket: "auto", pidfile: "pids/app" },
      {},
      "/srv/pids/app.ctl",
    ],
    [
      "is in the service's folder",
      { controlSocket: "auto" },
      { RUNTIME_DIRECTORY: "/run/app:/run/more", XDG_RUNTIME_DIR: "/run/user/0" },
      "/run/app/gunicorn-ts-42.ctl",
    ],
    [
      "is in the user's folder",
      { controlSocket: "auto" },
      { XDG_RUNTIME_DIR: "/run/user/0" },
      "/run/user/0/gunicorn-ts-42.ctl",
    ],
  ];
  test.each(rows)("%s", (_claim, settings, env, path) => {
    const all = { pidfile: null, chdir: "/srv", ...settings };
    expect(socketPath(all, { ...first, env })).toBe(path);
  });

  test("gives a new master a name of its own", () => {
    const second = { pid: 43, second: true, env: { XDG_RUNTIME_DIR: "/x" } };
    const at = (controlSocket: string, pidfile: string | null = null) =>
      socketPath({ controlSocket, pidfile, chdir: "/srv" }, second);
    expect(at("a.ctl")).toBe("/srv/a.ctl.2");
    expect(at("auto", "a.pid")).toBe("/srv/a.ctl.2");
    expect(at("auto")).toBe("/x/gunicorn-ts-43.ctl");
  });

  test.each([{}, { XDG_RUNTIME_DIR: "" }, { XDG_RUNTIME_DIR: "relative" }])(
    "says what auto needs: %j",
    (env) => {
      const settings = { controlSocket: "auto", pidfile: null, chdir: "/srv" };
      expect(() => socketPath(settings, { ...first, env })).toThrow(ConfigError);
      expect(() => socketPath(settings, { ...first, env })).toThrow(
        "controlSocket: auto needs a pid file, or RUNTIME_DIRECTORY or XDG_RUNTIME_DIR in the environment; or name a path",
      );
    },
  );
});
