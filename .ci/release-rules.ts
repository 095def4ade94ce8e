/** What must hold of a version before it is published. Pure: texts and lists in, sentences out. */

export interface Finding {
  /** What was found, in a few words. */
  readonly found: string;
  /** What is wrong, a sentence each; empty, if nothing is. */
  readonly complaints: readonly string[];
}

const limitBytes = 400_000;

/** Every file of the package is of one of these, and each has some. */
const wanted: readonly RegExp[] = [
  /^(LICENSE|README\.md|package\.json|bin\/(gunicorn-ts|index)\.ts)$/,
  // The bundle, with the licenses of what is in it.
  /^dist\/([a-z]+\/)*[a-z0-9-]+\.js$/,
  /^dist\/LICENSES$/,
  /^types\/.*\.d\.ts$/,
  /^docs\/[a-z0-9-]+\.(md|svg)$/i,
  /^examples\/([a-z]+\/)?[\w.-]+\.(ts|json|md)$/,
  /^examples\/deploy\/([a-z]+\/)?[\w.@-]+$/,
];

/** Of the tarball: its size in bytes, and its files by their paths in the package. */
export function tarballFinding(bytes: number, files: readonly string[]): Finding {
  const complaints = files
    .filter((file) => !wanted.some((pattern) => pattern.test(file)))
    .map((file) => `${file}: nobody who installs it needs this`);
  for (const pattern of wanted)
    if (!files.some((file) => pattern.test(file))) complaints.push(`no file is like ${pattern}`);
  if (bytes >= limitBytes) complaints.push(`must be below ${limitBytes} bytes, is ${bytes}`);
  return { found: `${Math.ceil(bytes / 1000)} kB, ${files.length} files`, complaints };
}

/** Of docs/changelog.md: either has the version an entry, and nothing is left above it, or what is there becomes its entry. */
export function changelogFinding(page: string, version: string): Finding {
  const sections = page.split(/^## /m).slice(1);
  const changesOf = (text: string | undefined) => text?.match(/^- /gm)?.length ?? 0;
  const unreleased = changesOf(sections.find((text) => text.startsWith("Unreleased\n")));
  const entry = sections.find((text) => /^\S+/.exec(text)?.[0] === version);
  if (entry === undefined) {
    const complaints =
      unreleased === 0 ? [`neither ${version} nor Unreleased has a line: nothing to release`] : [];
    return { found: `${unreleased} changes under Unreleased, which become ${version}`, complaints };
  }
  const complaints =
    unreleased > 0
      ? [`${version} has an entry, and ${unreleased} changes are still under Unreleased`]
      : [];
  if (changesOf(entry) === 0) complaints.push(`the entry of ${version} says nothing`);
  return { found: `an entry for ${version}, and nothing unreleased`, complaints };
}

/** Where pages name a version of the package, or the oldest Bun that it runs on. */
const mentions = {
  version: /\bgunicorn-ts[- ](\d+\.\d+\.\d+)/g,
  bun: /\bBun (\d+\.\d+\.\d+) or newer/g,
};

/** Of pages by their names: what they call the package's version and Bun's is what package.json says. */
export function versionsFinding(
  pages: Readonly<Record<string, string>>,
  versions: { readonly version: string; readonly bun: string; readonly told: string },
): Finding {
  const { version, told } = versions;
  const complaints = told.includes(version) ? [] : [`--version says ${told}, not ${version}`];
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) complaints.push(`${version} is no version`);
  let count = 0;
  for (const [name, page] of Object.entries(pages)) {
    // It speaks of older ones.
    if (name === "docs/changelog.md") continue;
    for (const kind of ["version", "bun"] as const)
      for (const [text, said] of page.matchAll(mentions[kind])) {
        count++;
        if (said !== versions[kind])
          complaints.push(`${name}: "${text}", and package.json says ${versions[kind]}`);
      }
  }
  return { found: `${version} everywhere, ${count} mentions in pages`, complaints };
}

/** The steps of docs/releasing.md, for this version. */
export function stepsOf(page: string, version: string): string {
  const [, steps = ""] = /^## Steps\n+([^]*?)(?=\n## |$(?![^]))/m.exec(page) ?? [];
  return steps.trim().replaceAll("X.Y.Z", version);
}
