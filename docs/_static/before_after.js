// Lays the picture after over the one before, with a slider between them. Without this script the
// two stand side by side.
for (const pair of document.querySelectorAll(".before-after")) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = 100;
  slider.step = 0.5;
  slider.value = pair.className.match(/\bstart-(\d+)/)[1];
  slider.setAttribute("aria-label", "Share of the photo as it was, in percent");
  const move = () => pair.style.setProperty("--cut", `${slider.value}%`);
  slider.addEventListener("input", move);
  pair.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    const box = pair.getBoundingClientRect();
    slider.value = (100 * (event.clientX - box.left)) / box.width;
    move();
  });
  pair.append(slider);
  pair.classList.add("sliding");
  move();
}
