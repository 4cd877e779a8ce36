// The parts that other implementations are compared with, and that third parties may use alone.
export { told, fold, Folds } from "./journal.js";
export { checkLeaf, readLeaf, rootOf, splitId } from "./merkle_sum.js";
export { baseOf, earned, guaranteeOf, owedInAll, royaltyOf } from "./royalty.js";
export { decodeTerms } from "./terms.js";
export { spanOf } from "./calendar.js";
export { entitled, SplitBooks } from "./splits.js";
export { CatalogueBooks } from "./catalogues.js";
export { LicenceBooks, owedOf } from "./licences.js";
export { slot, licenceWords } from "./words.js";
export { codeHash } from "./code.js";
export { headerOf, headerOfJson } from "./header.js";
export { ADDRESSES } from "./generated.js";
export { decodeClaim } from "./claim.js";
export { bytesOf, hexOf } from "./bytes.js";
export { hashHex } from "./keccak.js";
export { Nodes } from "./trie.js";
export { decode as decodeRlp, encode as encodeRlp } from "./rlp.js";
