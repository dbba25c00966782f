// Entries of the address that Python decides: in the browser, since what Python knows of the others may be out of date.
import { putInAddress } from "./address.js"

export default function ({ data: [entries] }) {
  putInAddress(entries)
}
