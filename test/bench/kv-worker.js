/** KV's HTTP form, with its values in memory: single keys, many at once, and lists in one page. */
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === "POST" && pathname === "/bulk/get") {
      const { keys } = await request.json();
      return Response.json(Object.fromEntries(keys.map((key) => [key, env.VALUES[key] ?? null])));
    }
    const key = decodeURIComponent(pathname.slice(1));
    if (request.method === "GET" && key === "") {
      const names = Object.keys(env.VALUES).filter((name) =>
        name.startsWith(searchParams.get("prefix") ?? ""),
      );
      const limit = Number(searchParams.get("key_count_limit") ?? 1_000);
      const keys = names
        .sort()
        .slice(0, limit)
        .map((name) => ({ name }));
      return Response.json({ keys, list_complete: true, cacheStatus: null });
    }
    if (request.method === "PUT") {
      env.VALUES[key] = await request.text();
      return new Response(null);
    }
    if (request.method === "DELETE") {
      delete env.VALUES[key];
      return new Response(null);
    }
    const value = env.VALUES[key];
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};
