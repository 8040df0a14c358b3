// The contrast of each text that is seen with the ground it stands on, as WCAG 2.2 defines it (1.4.3), least first.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour, ground) => {
    canvas.fillStyle = ground;
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const groundOf = (element) => {
    const above = element ? groundOf(element.parentElement) : "white";
    return element ? `rgb(${rgb(getComputedStyle(element).backgroundColor, above).join()})` : above;
  };
  const found = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("script")) continue;
    const ground = groundOf(element);
    const colour = getComputedStyle(element).color;
    const [light, dark] = [luminance(rgb(colour, ground)), luminance(rgb(ground, "white"))].sort((a, b) => b - a);
    found.set(colour + ground, { text: text.slice(0, 40), colour, ground, contrast: (light + 0.05) / (dark + 0.05) });
  }
  return [...found.values()].sort((one, other) => one.contrast - other.contrast);
})()
