export function load({ url }) {
  const late = new Promise((resolve) => setTimeout(resolve, 5, "late"));
  return { name: url.searchParams.get("name") ?? "nobody", late };
}
