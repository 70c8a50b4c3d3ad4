// Barcodes with the camera, where the browser reads them itself (BarcodeDetector); elsewhere the field and photos do.
(() => {
  const box = document.querySelector("[data-camera]");
  if (!box) return;
  const [video, start, stop, said] = ["video", "[data-start]", "[data-stop]", "[data-said]"].map((each) => box.querySelector(each));
  const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "itf", "qr_code"];
  const EVERY_MS = 200; // often enough for a hand that moves, seldom enough for a phone's battery
  let stream = null;

  const end = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = stop.hidden = true;
    start.hidden = false;
  };

  const look = async (detector, last) => {
    if (!stream) return;
    let code = "";
    try {
      const found = await detector.detect(video);
      code = found.length ? found[0].rawValue.trim().slice(0, 64) : "";
    } catch { /* a frame that is not there yet */ }
    // The same twice: a single frame may be misread.
    if (code && code === last) {
      if (navigator.vibrate) navigator.vibrate(60);
      end();
      location.assign(`${box.dataset.camera}?code=${encodeURIComponent(code)}`);
      return;
    }
    setTimeout(() => look(detector, code), EVERY_MS);
  };

  const begin = async (detector) => {
    said.textContent = "";
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch (error) {
      said.textContent = error.name === "NotAllowedError"
        ? "The camera was not allowed. Allow it for this page in the browser, or type the code."
        : "No camera can be used here. Type the code, or hand over a photo.";
      return;
    }
    video.srcObject = stream;
    video.hidden = stop.hidden = false;
    start.hidden = true;
    await video.play();
    said.textContent = "Hold the barcode into the picture.";
    stop.focus();
    look(detector, "");
  };

  const ready = async () => {
    if (!("BarcodeDetector" in window) || !navigator.mediaDevices) return; // the photo stands there for it
    const known = await window.BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((each) => known.includes(each));
    if (!formats.length) return;
    const detector = new window.BarcodeDetector({ formats });
    box.hidden = false;
    start.addEventListener("click", () => begin(detector));
    stop.addEventListener("click", () => { end(); said.textContent = "The camera is off."; start.focus(); });
    addEventListener("pagehide", end);
  };
  ready();
})();
