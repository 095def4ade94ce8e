/** What must hold before a release: the rules, on texts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import {
  changelogFinding,
  stepsOf,
  tarballFinding,
  versionsFinding,
} from "../../.ci/release-rules.ts";

const root = join(import.meta.dir, "../..");

describe("changelogFinding()", () => {
  const rows: [claim: string, page: string, found: RegExp, complaints: RegExp[]][] = [
    ["what is unreleased becomes the entry", "## Unreleased\n\n- a\n- b\n", /^2 changes/, []],
    [
      "an older entry doesn't matter",
      "## Unreleased\n\n- a\n\n## 1.1.0\n\n- b\n",
      /^1 changes.*1\.2\.0/,
      [],
    ],
    ["an entry", "## Unreleased\n\n## 1.2.0 (2026-11-29)\n\n- a\n", /^an entry for 1\.2\.0/, []],
    ["an entry without Unreleased", "# C\n\n## 1.2.0\n\n- a\n", /^an entry/, []],
    [
      "an entry, and something left",
      "## Unreleased\n\n- b\n\n## 1.2.0\n\n- a\n",
      /./,
      [/1 changes are still under Unreleased/],
    ],
    ["an empty entry", "## 1.2.0\n\n## 1.1.0\n\n- a\n", /./, [/says nothing/]],
    ["another version's entry", "## 1.2.01\n\n- a\n", /./, [/nothing to release/]],
    ["nothing", "# Changelog\n\n## Unreleased\n", /./, [/nothing to release/]],
  ];
  test.each(rows)("%s", (_claim, page, found, complaints) => {
    const finding = changelogFinding(page, "1.2.0");
    expect(finding.found).toMatch(found);
    expect(finding.complaints).toHaveLength(complaints.length);
    complaints.forEach((pattern, at) => expect(finding.complaints[at]).toMatch(pattern));
  });
});

describe("versionsFinding()", () => {
  const right = { version: "1.2.0", bun: "1.4.5", told: "gunicorn-ts (version 1.2.0)" };
  const rows: [
    claim: string,
    page: string,
    changed: Partial<typeof right>,
    complaints: RegExp[],
  ][] = [
    ["all agree", "./gunicorn-ts-1.2.0.tgz, Bun 1.4.5 or newer", {}, []],
    ["a tarball of another", "./gunicorn-ts-1.1.0.tgz", {}, [/README\.md: .*1\.1\.0.*1\.2\.0/]],
    ["a log line of another", "Starting gunicorn-ts 1.1.0", {}, [/1\.1\.0/]],
    ["another Bun", "Bun 1.3.0 or newer", {}, [/1\.3\.0.*1\.4\.5/]],
    ["another program", "", { told: "gunicorn-ts (version 1.1.0)" }, [/--version says/]],
    ["no version", "", { version: "next", told: "next" }, [/no version/]],
    ["of other packages it says nothing", "vitepress 1.6.4, Bun 1.0.0", {}, []],
  ];
  test.each(rows)("%s", (_claim, page, changed, complaints) => {
    const pages = { "README.md": page, "docs/changelog.md": "gunicorn-ts 1.0.0" };
    const finding = versionsFinding(pages, { ...right, ...changed });
    expect(finding.complaints).toHaveLength(complaints.length);
    complaints.forEach((pattern, at) => expect(finding.complaints[at]).toMatch(pattern));
  });
});

describe("tarballFinding()", () => {
  const files = [
    "LICENSE",
    "dist/index.js",
    "dist/LICENSES",
    "types/index.d.ts",
    "docs/README.md",
    "examples/hello.ts",
    "examples/deploy/systemd/web@.service",
  ];
  const rows: [claim: string, bytes: number, files: string[], complaints: RegExp[]][] = [
    ["all is well", 399_999, files, []],
    ["too large", 400_000, files, [/below 400000 bytes, is 400000/]],
    ["a test in it", 1, [...files, "test/a.test.ts"], [/^test\/a\.test\.ts: /]],
    ["sources in it", 1, [...files, "src/index.ts"], [/^src\/index\.ts: /]],
    ["the site in it", 1, [...files, "docs/site/build.ts"], [/^docs\/site\/build\.ts: /]],
    ["no types", 1, files.filter((file) => !file.startsWith("types")), [/no file is like .*types/]],
  ];
  test.each(rows)("%s", (_claim, bytes, all, complaints) => {
    const finding = tarballFinding(bytes, all);
    expect(finding.complaints).toHaveLength(complaints.length);
    complaints.forEach((pattern, at) => expect(finding.complaints[at]).toMatch(pattern));
  });
});

test("stepsOf() gives the steps of docs/releasing.md, for the version", () => {
  const steps = stepsOf(readFileSync(join(root, "docs/releasing.md"), "utf8"), "7.8.9");
  expect(steps).toStartWith("1. ");
  expect(steps).toContain("7.8.9");
  expect(steps).not.toContain("X.Y.Z");
  expect(stepsOf("## Steps\n\n1. a\n\n## More\n\nb\n", "1.0.0")).toBe("1. a");
});

test("README's first screen, of 60 lines, says what it is, how it starts, and its six flags", () => {
  const lines = readFileSync(join(root, "README.md"), "utf8").split("\n");
  const screen = lines.slice(0, 60).join("\n");
  for (const needed of ["# gunicorn-ts", "bun add ", "bunx gunicorn-ts -w", "`--access-logfile -`"])
    expect(screen).toContain(needed);
});
