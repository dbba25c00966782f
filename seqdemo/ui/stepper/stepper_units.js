// Hands the numbers of the picked units to the stepper, which would otherwise be sent the whole text anew.
export default function ({ data }) {
  const hub = (globalThis.seqdemoStepper ??= {})
  hub.units = data
  hub.show?.()
}
