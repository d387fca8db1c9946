// What the address compares, and what the page asks first.
import { type Ask, type Asked, orgIn } from "../../kit";

export const periodOf = ({ param }: Asked) => param("period", "30d");
export const questionOf = (a: Asked) => ({ ...orgIn(a.place), period: periodOf(a) });
export default (a: Asked): Ask[] => [["alerts:read", "/compare", questionOf(a)]];
