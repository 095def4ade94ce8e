/** The part of docs/apps.md that says which frameworks run on which worker class: from the tables that the tests run. */
import packageFile from "../test/frameworks/package.json";
import { lostByServe, serversOwn } from "../test/frameworks/compare.ts";
import { builtApps } from "../test/frameworks/built-apps.ts";
import { fetchApps } from "../test/frameworks/fetch-apps.ts";
import { type FrameworkApp, type Kind, kinds } from "../test/frameworks/framework-app.ts";
import { nodeApps } from "../test/frameworks/node-apps.ts";
import { socketIoApps, websocketApps } from "../test/frameworks/websocket-apps.ts";

const apps: readonly FrameworkApp[] = [
  ...fetchApps,
  ...builtApps,
  ...nodeApps,
  ...websocketApps,
  ...socketIoApps,
];

/** All of it, without the heading. */
export function renderFrameworks(item: (text: string) => string): string {
  const minds = apps.flatMap(({ name, mind }) => (mind === undefined ? [] : [`${name}: ${mind}`]));
  return [
    table([
      ["framework", "tested with", "what the worker finds", ...kinds],
      ...apps.map((app) => [
        app.name,
        versions(app),
        `\`${app.found}\``,
        ...kinds.map((kind) => (whyNot(app, kind) === undefined ? "yes" : "no")),
      ]),
    ]),
    "Why not:",
    grouped(apps.flatMap((app) => kinds.map((kind) => [whyNot(app, kind), kind, app] as const)))
      .map(([reason, on, names]) => item(`${on}: ${reason} (${names})`))
      .join("\n"),
    "To mind:",
    minds.map(item).join("\n"),
    "What is different from the same app by itself, beside the fields that are the server's own:",
    [
      ...grouped(
        apps.flatMap(({ differs = {}, ...app }) =>
          Object.values(differs).flatMap(([on, reason]) =>
            on.map((kind) => [reason, kind, app] as const),
          ),
        ),
      ).map(([reason, on]) => item(`${on}: ${reason}`)),
      ...Object.entries(lostByServe).map(([what, why]) =>
        item(`\`serve\`, node listeners: ${what}: ${why}`),
      ),
    ].join("\n"),
    "The server's own:",
    Object.entries(serversOwn)
      .map(([name, why]) => item(`\`${name}\`: ${why}`))
      .join("\n"),
  ].join("\n\n");
}

function whyNot({ not, unsuited }: FrameworkApp, kind: Kind): string | undefined {
  return not?.[kind] ?? unsuited?.[kind];
}

function versions({ packages = [] }: FrameworkApp): string {
  const pinned: Readonly<Record<string, string>> = packageFile.dependencies;
  return packages
    .map((name) => `${name} ${pinned[name]}`.replace(/\S+ npm:(.*)@/, "$1 "))
    .join(", ");
}

type Fact = readonly [reason: string | undefined, kind: Kind, app: { readonly name: string }];

/** Each reason once, with the worker classes and the apps that it holds for. */
function grouped(facts: readonly Fact[]): readonly (readonly [string, string, string])[] {
  const reasons = Map.groupBy(facts, ([reason]) => reason);
  return [...reasons].flatMap(([reason, of]) => {
    if (reason === undefined) return [];
    const on = [...new Set(of.map(([, kind]) => `\`${kind}\``))].join(", ");
    return [[reason, on, [...new Set(of.map(([, , { name }]) => name))].join(", ")] as const];
  });
}

function table(rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = escaped[0]!.map((_, at) => Math.max(...escaped.map((row) => row[at]!.length), 3));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const [head, ...body] = escaped;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join(
    "\n",
  );
}
