/** The items of a Markdown page's lists, each as one line, however the page wraps them. */
export function listItems(page: string): string[] {
  const items = page.matchAll(/^- (?:.*\n?)(?: {2,}\S.*\n?)*/gm);
  return [...items].map(([item]) => item.slice("- ".length).trim().replaceAll(/\s+/g, " "));
}
