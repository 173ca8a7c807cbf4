import HTTP

/// What stands at `/` until there is a web page.
enum Page {
    static let response = HTTPResponse(
        200, "text/html; charset=utf-8",
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <title>Hopspan</title>
        <h1>Hopspan</h1>
        <p>This is the api listener. Agents talk to the gateway, which has a port of its own.</p>
        <ul>
        <li><a href="/api/runs">/api/runs</a>: recent runs; <code>/api/runs/{run}</code> is one of them as a tree
        <li><a href="/api/cost?by=model">/api/cost?by=model</a>: spend
        <li><a href="/api/health">/api/health</a>, <a href="/metrics">/metrics</a>: how the gateway does
        <li><a href="/api/openapi.json">/api/openapi.json</a>: every call, described
        </ul>
        <p>On the command line: <code>hopspan runs</code>, <code>hopspan run</code>, <code>hopspan cost</code>.</p>

        """)
}
