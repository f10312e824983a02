/** KV's HTTP form, with its values in memory. */
export default {
  async fetch(request, env) {
    const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (request.method === "PUT") {
      env.VALUES[key] = await request.text();
      return new Response(null);
    }
    const value = env.VALUES[key];
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};
