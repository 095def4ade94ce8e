import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileWatch } from "../../../src/reload/file-watch.ts";
import { foldersOf } from "../../../src/reload/folders.ts";
import { stampOfAll } from "../../../src/reload/stamp.ts";
import { until } from "../../support/server.ts";

let folder: string;
const watches: FileWatch[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "gunicorn-ts-watch-")));
  mkdirSync(at("live"));
  mkdirSync(at("archive"));
});

afterEach(() => {
  for (const each of watches.splice(0)) each.close();
  rmSync(folder, { recursive: true, force: true });
});

function at(name: string): string {
  return join(folder, name);
}

function write(name: string, text: string): void {
  writeFileSync(at(name), text);
}

/** Makes a link anew, as `ln -sf` does. */
function link(name: string, target: string): void {
  rmSync(at(name), { force: true });
  symlinkSync(target, at(name));
}

/** Counts what it tells of the files. */
function watching(files: readonly string[], intervalMs = 3_600_000): { count: number } {
  const told = { count: 0 };
  const onChange = () => void (told.count += 1);
  const onTrouble = (message: string) => {
    throw new Error(message);
  };
  const paths = files.map(at);
  const stamp = stampOfAll(paths);
  watches.push(new FileWatch({ files: paths, stamp, onChange, onTrouble, intervalMs }));
  return told;
}

interface Way {
  readonly name: string;
  readonly file: string;
  readonly prepare: () => void;
  /** Brings the file's next version. */
  readonly renew: (version: number) => void;
}

const ways: readonly Way[] = [
  {
    name: "overwritten in place",
    file: "live/cert.pem",
    prepare: () => write("live/cert.pem", "0"),
    renew: (version) => write("live/cert.pem", String(version)),
  },
  {
    name: "replaced by rename",
    file: "live/cert.pem",
    prepare: () => write("live/cert.pem", "0"),
    renew: (version) => {
      write("live/cert.pem.new", String(version));
      renameSync(at("live/cert.pem.new"), at("live/cert.pem"));
    },
  },
  {
    name: "certbot: a link to another file of the archive",
    file: "live/cert.pem",
    prepare: () => {
      write("archive/cert0.pem", "0");
      link("live/cert.pem", "../archive/cert0.pem");
    },
    renew: (version) => {
      write(`archive/cert${version}.pem`, String(version));
      link("live/cert.pem", `../archive/cert${version}.pem`);
    },
  },
  {
    name: "the file that a link means, overwritten",
    file: "live/cert.pem",
    prepare: () => {
      write("archive/cert.pem", "0");
      link("live/cert.pem", at("archive/cert.pem"));
    },
    renew: (version) => write("archive/cert.pem", String(version)),
  },
  {
    name: "Kubernetes: the link ..data renamed over",
    file: "live/tls.crt",
    prepare: () => {
      mkdirSync(at("live/..0"));
      write("live/..0/tls.crt", "0");
      link("live/..data", "..0");
      link("live/tls.crt", "..data/tls.crt");
    },
    renew: (version) => {
      mkdirSync(at(`live/..${version}`));
      write(`live/..${version}/tls.crt`, String(version));
      link("live/..data_tmp", `..${version}`);
      renameSync(at("live/..data_tmp"), at("live/..data"));
      rmSync(at(`live/..${version - 1}`), { recursive: true });
    },
  },
  {
    name: "a link to a folder above, changed",
    file: "current/tls/cert.pem",
    prepare: () => {
      mkdirSync(at("release0/tls"), { recursive: true });
      write("release0/tls/cert.pem", "0");
      link("current", "release0");
    },
    renew: (version) => {
      mkdirSync(at(`release${version}/tls`), { recursive: true });
      write(`release${version}/tls/cert.pem`, String(version));
      link("current", `release${version}`);
    },
  },
  {
    name: "the folder made anew",
    file: "live/cert.pem",
    prepare: () => write("live/cert.pem", "0"),
    renew: (version) => {
      rmSync(at("live"), { recursive: true });
      mkdirSync(at("live"));
      write("live/cert.pem", String(version));
    },
  },
  {
    name: "given another mode, by which it may be readable now",
    file: "live/cert.pem",
    prepare: () => write("live/cert.pem", "0"),
    renew: (version) => chmodSync(at("live/cert.pem"), version % 2 === 1 ? 0o600 : 0o644),
  },
  {
    name: "away, and there again",
    file: "live/cert.pem",
    prepare: () => write("live/cert.pem", "0"),
    renew: (version) => {
      if (version % 2 === 1) unlinkSync(at("live/cert.pem"));
      else write("live/cert.pem", String(version));
    },
  },
];

describe("FileWatch tells of a file that is", () => {
  test.each(ways.map((way) => [way.name, way] as const))("%s", async (_, way) => {
    way.prepare();
    const told = watching([way.file]);
    for (let version = 1; version <= 4; version++) {
      const { count } = told;
      way.renew(version);
      await until("a change", () => told.count > count);
    }
  });

  test("changed without an event: the stamps are compared once in a while", async () => {
    // The kernel tells nothing of the folder that a loop of links leads to.
    link("live/cert.pem", "cert.pem");
    const told = watching(["live/cert.pem"], 20);
    unlinkSync(at("live/cert.pem"));
    write("live/cert.pem", "1");
    await until("a change", () => told.count > 0);
  });
});

test("FileWatch tells of what has changed since the files were read", async () => {
  write("live/cert.pem", "0");
  const files = [at("live/cert.pem")];
  const stamp = stampOfAll(files);
  write("live/cert.pem", "11");
  const told = Promise.withResolvers<void>();
  watches.push(new FileWatch({ files, stamp, onChange: told.resolve, onTrouble: told.reject }));
  await told.promise;
});

test("FileWatch tells once of changes that follow each other", async () => {
  write("live/cert.pem", "0");
  write("live/key.pem", "0");
  const told = watching(["live/cert.pem", "live/key.pem"]);
  write("live/cert.pem", "1");
  write("live/key.pem", "1");
  await until("a change", () => told.count > 0);
  write("live/cert.pem", "22");
  await until("another", () => told.count > 1);
  expect(told.count).toBe(2);
});

test("FileWatch tells nothing of other files, nor after close()", async () => {
  write("live/cert.pem", "0");
  const [other, closed] = [watching(["live/cert.pem"]), watching(["live/cert.pem"])];
  const told = watching(["live/cert.pem", "live/log"]);
  watches[1]?.close();
  write("live/log", "1");
  await until("a change of the log", () => told.count === 1);
  expect(other.count).toBe(0);
  write("live/cert.pem", "1");
  await until("a change of the file", () => other.count === 1);
  expect(closed.count).toBe(0);
});

test("FileWatch tells of changes although others write to the folder all the time", async () => {
  write("live/cert.pem", "0");
  const told = watching(["live/cert.pem"]);
  const writing = setInterval(() => write("live/log", `${performance.now()}`), 20);
  write("live/cert.pem", "1");
  try {
    await until("a change", () => told.count > 0);
  } finally {
    clearInterval(writing);
  }
});

describe("foldersOf()", () => {
  test.each([
    ["a file", "live/cert.pem", () => write("live/cert.pem", ""), ["live"]],
    ["a file that isn't there", "live/cert.pem", () => {}, ["live"]],
    ["a folder that isn't there", "live/a/b/cert.pem", () => {}, ["live"]],
    ["a link", "live/l", () => link("live/l", "../archive/cert.pem"), ["live", "archive"]],
    [
      "a link to a link",
      "live/l",
      () => {
        link("archive/m", "cert.pem");
        link("live/l", at("archive/m"));
      },
      ["live", "archive"],
    ],
    [
      "a link above, and a way up behind it",
      "up/../cert.pem",
      () => {
        mkdirSync(at("archive/deep"));
        link("up", "archive/deep");
      },
      ["", "archive"],
    ],
    ["a link that leads nowhere", "live/l", () => link("live/l", "../gone/cert.pem"), ["live", ""]],
    ["a link to itself", "live/l", () => link("live/l", "l"), ["live"]],
    ["what is below a file", "live/cert.pem/x", () => write("live/cert.pem", ""), ["live"]],
  ] as const)("%s", (_, path, prepare, expected) => {
    prepare();
    const below = expected.map((name) => (name === "" ? folder : at(name)));
    expect([...foldersOf(`${folder}/${path}`)].toSorted()).toEqual(below.toSorted());
  });
});
