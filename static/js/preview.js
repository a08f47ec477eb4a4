/** Previews on the shelf: one plays at a time, in the page. Without this script the link opens it in the browser's own
 * player. */
(function () {
  "use strict";

  const player = new Audio();
  let playing = null; // the link whose preview plays

  function show(link, words) {
    link.textContent = words;
    link.setAttribute("aria-label", `${words}: ${link.dataset.hear}`);
  }

  function stop() {
    if (!playing) return;
    player.pause();
    show(playing, "Hear a preview");
    playing.removeAttribute("data-playing");
    playing = null;
  }

  function play(link) {
    stop();
    playing = link;
    player.src = link.href;
    show(link, "Stop the preview");
    link.setAttribute("data-playing", "");
    const begun = player.play();
    if (begun) begun.catch(() => playing === link && fail(link));
  }

  function fail(link) {
    stop();
    show(link, "The preview can’t be played just now");
  }

  document.querySelectorAll("[data-hear]").forEach((link) => {
    show(link, link.textContent);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (playing === link) stop();
      else play(link);
    });
  });
  player.addEventListener("ended", stop);
})();
