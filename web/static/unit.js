// The unit's form, where JavaScript runs: what is typed is kept as a draft after five seconds, a file goes up as soon as
// it is chosen, and both are tried again while the network is weak. Without this script the same form does it in one go.
(function () {
  "use strict";
  var form = document.getElementById("report");
  if (!form || !window.fetch || !window.DOMParser) return;
  var PAUSE = 5000, WAITS = [1000, 2000, 4000, 8000, 16000, 30000];
  var input = document.getElementById("file"), bar = document.getElementById("progress"), said = form.dataset;
  var queue = Promise.resolve(), pending = [], timer = 0, changed = false, sending = false, refused = false, pressed = null;

  function say(words) { document.getElementById("saved").textContent = words; }

  function complain(words) {
    var line = document.createElement("p");
    line.className = "err";
    line.textContent = words;
    document.getElementById("kept").appendChild(line);
  }

  // The form without the files of its input: they go up one by one.
  function fields(file) {
    var data = new FormData(form);
    data.delete("file");
    if (file) data.append("file", file, file.name);
    return data;
  }

  // One try; resolves to the answer, rejects when the network failed or the server is away for the moment.
  function send(file) {
    return new Promise(function (done, failed) {
      var request = new XMLHttpRequest();
      request.open("POST", said.draft);
      request.setRequestHeader("X-Part", "1");
      request.onload = function () { [502, 503, 504].indexOf(request.status) < 0 ? done(request) : failed(); };
      request.onerror = request.ontimeout = request.onabort = failed;
      if (file && bar) request.upload.onprogress = function (event) { bar.value = 100 * event.loaded / (event.total || 1); };
      request.send(fields(file));
    });
  }

  function pause(long) {
    return new Promise(function (done) {
      var wait = setTimeout(over, long);
      function over() { clearTimeout(wait); removeEventListener("online", over); done(); }
      addEventListener("online", over);
    });
  }

  function persist(file, turn) {
    return send(file).catch(function () {
      if (turn >= WAITS.length) throw new Error("lost");
      say(said.again);
      return pause(WAITS[turn]).then(function () { return persist(file, turn + 1); });
    });
  }

  function put(id, page) {
    var old = document.getElementById(id), fresh = page.getElementById(id);
    if (!old || !fresh) return;
    old.querySelectorAll("input:not(:checked)").forEach(function (box) {  // unticked while the answer was on its way
      fresh.querySelectorAll("input").forEach(function (each) { if (each.value === box.value) each.checked = false; });
    });
    old.replaceWith(fresh);
  }

  // Saves the form, with one file or none. Resolves to the status of the answer; 0: nothing gets through.
  function save(file) {
    clearTimeout(timer);
    changed = false;
    say(file ? said.uploading.replace("{name}", file.name) : said.saving);
    if (file && bar) { bar.value = 0; bar.hidden = false; }
    return persist(file, 0).then(function (answer) {
      if ([200, 422, 507].indexOf(answer.status) >= 0) {
        var page = new DOMParser().parseFromString(answer.responseText, "text/html");
        if (file || answer.status !== 200) put("kept", page);
        put("saved", page);
      }
      return answer.status;
    }, function () {
      changed = true;
      say(said.lost);
      return 0;
    }).then(function (status) {
      if (bar) bar.hidden = true;
      if (file && status && status !== 507) pending.splice(pending.indexOf(file), 1);
      if (file && [0, 200, 507].indexOf(status) < 0) refused = true;
      return status;
    });
  }

  // One after the other: two that cross would each undo the other's files.
  function enqueue(file) {
    queue = queue.then(function () { return save(file); });
    return queue;
  }

  form.addEventListener("input", function (event) {
    if (event.target === input) return;
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(function () { if (!sending) enqueue(); }, PAUSE);
  });

  if (input) input.addEventListener("change", function () {
    var files = Array.prototype.slice.call(input.files), limit = Number(said.limit);
    input.value = "";
    refused = false;
    if (changed) enqueue();  // what was typed is safe before the slow part begins
    files.forEach(function (file) {
      if (file.size > limit) {
        refused = true;
        complain(said.large.replace("{name}", file.name));
      } else {
        pending.push(file);
        enqueue(file);
      }
    });
  });

  form.addEventListener("click", function (event) { pressed = event.target.closest("button"); });

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    if (sending) return;
    if (pressed && pressed.name === "save") { enqueue(); return; }
    sending = true;
    queue.then(function () {  // what is on its way
      if (refused) return -1;
      pending.slice().forEach(enqueue);  // what did not get through the last time
      return enqueue();
    }).then(function (status) {
      if (refused || pending.length || [-1, 0, 507].indexOf(status) >= 0) {
        if (refused) {  // the reason stands beside the file, which may be out of sight
          say(said.refused);
          document.getElementById("kept").scrollIntoView({ block: "center" });
        }
        sending = refused = false;  // pressed once more, it goes without the file that was refused
        return;
      }
      say(said.sending);
      if (input) input.disabled = true;  // its files are there already
      form.submit();
    });
  });

  // A telephone may close the page as soon as it is out of sight.
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden" && changed && !sending && navigator.sendBeacon) {
      if (navigator.sendBeacon(said.draft, fields())) changed = false;
    }
  });
  addEventListener("pageshow", function (event) {
    if (!event.persisted) return;
    sending = false;
    if (input) input.disabled = false;
  });
})();
