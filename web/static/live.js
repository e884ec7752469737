// Keeps the page that is looked at up to date: told by one stream that something changed, it fetches itself and morphs.
// A hidden page lets its stream go (browsers open six connections to a host, and every tab would hold one).
(function () {
  // Written by whoever uses the page, not by the server: a morph leaves them alone.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = function (name, node) {
    return !(name === "tabindex" || (name === "open" && node.localName === "details"));
  };
  Idiomorph.defaults.callbacks.beforeNodeMorphed = function (old) {
    return !(old.dataset && "still" in old.dataset);
  };

  document.addEventListener("DOMContentLoaded", function () {
    var page = document.querySelector("[data-live]"), note = document.getElementById("stale");
    if (!page || !window.EventSource) return;
    var source = null, tasks = [], failures = 0;

    function listen() {
      if (source || document.hidden) return;
      source = new EventSource(page.dataset.live);
      source.addEventListener("changed", function (event) {
        tasks = JSON.parse(event.data).tasks;
        htmx.trigger(page, "changed");
      });
      source.addEventListener("ended", function () { rest(); tell(true); });
      source.onopen = function () { failures = 0; tell(false); };
      source.onerror = function () {
        failures += 1;
        if (source.readyState !== EventSource.CLOSED && failures < 3) return;  // it tries again by itself
        tell(true);
        if (source.readyState === EventSource.CLOSED) { rest(); setTimeout(listen, 60000); }
      };
    }
    function rest() {
      if (source) source.close();
      source = null;
    }
    function tell(is_stale) {
      if (note) note.hidden = !is_stale;
    }

    document.addEventListener("visibilitychange", function () {
      if (document.hidden) rest(); else listen();
    });
    document.addEventListener("htmx:beforeSwap", function (event) {
      if (event.detail.target !== page) return;
      var answered = new URL(event.detail.xhr.responseURL).pathname;
      if (answered !== location.pathname) { event.detail.shouldSwap = false; tell(true); }  // led to the sign-in
    });
    document.addEventListener("htmx:afterSettle", function () {
      tasks.forEach(function (id) {
        var cell = document.getElementById("t" + id);
        if (cell) cell.classList.add("fresh");
      });
      tasks = [];
    });
    document.addEventListener("htmx:sendError", function () { tell(true); });
    listen();
  });
})();
