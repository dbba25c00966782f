// Pictures of one pixel a value, stretched by CSS, so that a cursor moves over them and never repaints them.
import { save } from "./parts.js"

const LEAST_WIDTH = 1200 // pixels of a picture that is saved
const MOST_TIMES_HIGH = 4

// A level from 0 (-1) over 128 (0) to 255 (1) for each row and column, in the palette's colours.
export function paint(canvas, levelAt, palette) {
  const colours = new Uint32Array(256)
  for (let level = 0; level < 256; level += 1) {
    const [r, g, b] = palette.colour((level - 128) / 127)
    colours[level] = 0xff000000 | (b << 16) | (g << 8) | r
  }
  const { width, height } = canvas
  const pixels = new Uint32Array(width * height)
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) pixels[row * width + column] = colours[levelAt(row, column)]
  }
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0)
}

export function savePicture(name, canvas) {
  const large = document.createElement("canvas")
  const times = Math.max(2, Math.ceil(LEAST_WIDTH / canvas.width))
  Object.assign(large, { width: canvas.width * times, height: canvas.height * Math.min(times, MOST_TIMES_HIGH) })
  const pen = large.getContext("2d")
  pen.imageSmoothingEnabled = false
  pen.drawImage(canvas, 0, 0, large.width, large.height)
  large.toBlob((blob) => save(name, blob))
}
