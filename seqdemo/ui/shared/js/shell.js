// What every page needs of the window around it; shows nothing.
import { putInAddress } from "./address.js"

const DRAWER_WIDTH = "(max-width: 768px)" // up to here, Streamlit lays its sidebar over the page
const BY_HAND = ["wheel", "touchstart", "pointerdown", "keydown"]
const shells = new WeakMap()

export default function ({ data: [{ own }], parentElement }) {
  if (!shells.has(parentElement)) shells.set(parentElement, [keepTargetInView(), serveLinks()])
  closeDrawerAfterChoice()
  putInAddress({ own }) // Streamlit takes it out of the address with each other page
  return () => {
    if (parentElement.isConnected) return
    shells.get(parentElement)?.forEach((stop) => stop())
    shells.delete(parentElement)
  }
}

// Streamlit does so where the browser calls itself a phone's, whatever the width of the window. A choice shows as
// another path than the one before; the first one is that of the page as it was loaded, since a choice may come
// sooner than this code.
let path = new URL(performance.getEntriesByType("navigation")[0]?.name ?? location.href).pathname

function closeDrawerAfterChoice() {
  if (path === location.pathname) return
  path = location.pathname
  closeDrawer()
}

function closeDrawer() {
  if (!matchMedia(DRAWER_WIDTH).matches) return
  const opened = "[data-testid=stSidebar][data-collapsed=false] [data-testid=stSidebarCollapseButton] button"
  const closing = /** @type {HTMLElement | null} */ (document.querySelector(opened))
  closing?.click()
}

// Links between pages. Streamlit's lead to a bare address, which counts where one is opened in another tab: it gets
// `own` as soon as it is pressed. And the page that is shown already, chosen in the drawer, changes no path.
function serveLinks() {
  const linkOf = (event) => event.target.closest?.("a:is([data-testid=stSidebarNavLink], [data-testid=stPageLink-NavLink])")
  const press = (event) => {
    const link = linkOf(event)
    if (!link) return
    const url = new URL(link.href)
    const own = new URL(location.href).searchParams.get("own")
    if (own) url.searchParams.set("own", own)
    else url.searchParams.delete("own")
    if (url.href !== link.href) link.href = url.href
  }
  const choose = (event) => {
    const link = linkOf(event)
    if (link?.matches("[data-testid=stSidebarNavLink]") && new URL(link.href).pathname === location.pathname) closeDrawer()
  }
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, press, { capture: true, passive: true })
  document.addEventListener("click", choose, { capture: true, passive: true })
  return () => {
    for (const kind of ["pointerdown", "keydown"]) document.removeEventListener(kind, press, { capture: true })
    document.removeEventListener("click", choose, { capture: true })
  }
}

// An address ending in `#hand` leads to that heading, although what stands above it arrives and grows later: it is
// scrolled to each time the page changes its height, until someone scrolls, points or types.
function keepTargetInView() {
  let following = false
  const show = () => { if (following) document.getElementById(location.hash.slice(1))?.scrollIntoView() }
  const begin = () => { following = location.hash.length > 1; show() }
  const end = () => { following = false }
  const observer = new ResizeObserver(show)
  observer.observe(document.querySelector("[data-testid=stMainBlockContainer]"))
  for (const kind of BY_HAND) document.addEventListener(kind, end, { capture: true, passive: true })
  addEventListener("hashchange", begin)
  begin()
  return () => {
    observer.disconnect()
    for (const kind of BY_HAND) document.removeEventListener(kind, end, { capture: true })
    removeEventListener("hashchange", begin)
  }
}
