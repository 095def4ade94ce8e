/** Columns of text: numbers stand at the right. */

/** Without the last column's blanks. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, at) =>
    Math.max(head.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const right = heads.map((_, at) => rows.length > 0 && rows.every((row) => isNumber(row[at])));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) =>
        right[at] === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [heads, ...rows].map((row) => `${line(row)}\n`).join("");
}

function isNumber(cell: string | undefined): boolean {
  return cell === undefined || /^(?:-|[\d.]+(?: ?[A-Za-z]+)?)$/.test(cell);
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `53 MiB`; a dash for what isn't known. */
export function showBytes(value: unknown): string {
  if (typeof value !== "number") return "-";
  let [size, unit] = [value, 0];
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** `1h 2m 3s`, as Gunicorn's: larger units only if they aren't 0. */
export function showSeconds(value: unknown): string {
  if (typeof value !== "number") return "-";
  const whole = Math.floor(value);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const parts = hours > 0 ? [`${hours}h`, `${minutes}m`] : minutes > 0 ? [`${minutes}m`] : [];
  return [...parts, `${whole % 60}s`].join(" ");
}
