/** KV's HTTP form, with its values in memory. */
export default {
  fetch(request, env) {
    const value = env.VALUES[decodeURIComponent(new URL(request.url).pathname.slice(1))];
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};
