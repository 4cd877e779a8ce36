// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import { ERC721Utils } from "@openzeppelin/contracts/token/ERC721/utils/ERC721Utils.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IERC5192 } from "../interfaces/IERC5192.sol";
import { ILicences } from "../interfaces/ILicences.sol";
import { Errors } from "../libraries/Errors.sol";
import { LicenceState } from "../libraries/LicenceState.sol";
import { ScopeCounters } from "../libraries/ScopeCounters.sol";
import { TermsCodec } from "../libraries/TermsCodec.sol";
import { LicenceMoney } from "./LicenceMoney.sol";

/// @title LicenceGrants
/// @notice Offers, acceptance, and the token that a licence is.
abstract contract LicenceGrants is LicenceMoney, IERC5192 {
    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "Offer(bytes32 termsHash,address token,uint256 upfrontFee,uint256 nonce,uint256 deadline,string uri)"
    );

    // Offers

    /// @inheritdoc ILicences
    function offer(bytes calldata terms, Offer calldata what) external nonReentrant returns (bytes32 offerId) {
        // check
        TermsCodec.Words calldata t = TermsCodec.check(terms);
        _requireLicensor(t.catalogue);
        if (block.timestamp > what.deadline) revert Errors.Licences_OfferExpired(what.deadline);
        if (nonceUsed(msg.sender, what.nonce)) revert Errors.Licences_NonceUsed(msg.sender, what.nonce);

        // effect
        offerId = _offerId(keccak256(terms), t, what);
        offeredBy[offerId] = msg.sender;
        _record(Offered.selector, offerId, abi.encode(msg.sender, terms, what.nonce, what.deadline, what.uri));
    }

    /// @inheritdoc ILicences
    function cancelNonce(uint256 nonce) external nonReentrant {
        _useNonce(msg.sender, nonce);
        _record(NonceCancelled.selector, bytes32(uint256(uint160(msg.sender))), abi.encode(msg.sender, nonce));
    }

    /// @inheritdoc ILicences
    function accept(
        bytes calldata terms,
        Offer calldata what,
        bytes calldata signature,
        Permit calldata permit
    ) external nonReentrant returns (uint256 licence) {
        // check
        TermsCodec.Words calldata t = TermsCodec.check(terms);
        _checkAcceptable(t, what.deadline);
        (address licensor, bytes32 splitId) = catalogues.ownerAndSplit(t.catalogue);
        bytes32 termsHash = keccak256(terms);
        bytes32 offerId = _offerId(termsHash, t, what);
        _checkOffered(licensor, offerId, signature);

        // effect
        _useNonce(licensor, what.nonce);
        licence = _grant(termsHash, t);

        // interaction
        address token = address(uint160(t.token));
        if (permit.deadline != 0) _permit(token, permit);
        uint256 fee = t.upfrontFee;
        if (fee != 0) {
            uint256 arrived = _pullToSplit(splitId, token, fee);
            if (arrived < fee) revert Errors.Licences_FeeShort(arrived, fee);
            fee = arrived;
        }
        _record(
            Accepted.selector,
            bytes32(licence),
            abi.encode(msg.sender, licensor, offerId, what.nonce, splitId, fee, terms, what.uri)
        );
    }

    /// @inheritdoc ILicences
    function nonceUsed(address licensor, uint256 nonce) public view returns (bool) {
        return (_nonces[licensor][nonce >> 8] >> (nonce & 255)) & 1 == 1;
    }

    /// @inheritdoc ILicences
    function offerIdOf(bytes calldata terms, Offer calldata what) external view returns (bytes32) {
        return _offerId(keccak256(terms), TermsCodec.check(terms), what);
    }

    function _checkAcceptable(TermsCodec.Words calldata terms, uint256 deadline) private view {
        if (block.timestamp > deadline) revert Errors.Licences_OfferExpired(deadline);
        address licensee = address(uint160(terms.licensee));
        if (licensee != address(0) && licensee != msg.sender) {
            revert Errors.Licences_NotInvited(msg.sender, licensee);
        }
        if (terms.end != 0 && block.timestamp >= terms.end) revert Errors.Licences_TermOver(terms.end);
        if (address(uint160(terms.token)).code.length == 0) revert Errors.Licences_BadTerms(4);
    }

    function _checkOffered(address licensor, bytes32 offerId, bytes calldata signature) private view {
        bool offered = signature.length == 0 ? offeredBy[offerId] == licensor : _isSigned(licensor, offerId, signature);
        if (!offered) revert Errors.Licences_NotOffered(offerId);
    }

    /// @dev A key's own signature counts whether or not its account has code, and costs no look at it.
    function _isSigned(address licensor, bytes32 offerId, bytes calldata signature) private view returns (bool) {
        (address signer, ECDSA.RecoverError fault, ) = ECDSA.tryRecoverCalldata(offerId, signature);
        if (fault == ECDSA.RecoverError.NoError && signer == licensor) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(licensor, offerId, signature);
    }

    function _useNonce(address licensor, uint256 nonce) private {
        uint256 word = _nonces[licensor][nonce >> 8];
        uint256 bit = 1 << (nonce & 255);
        if (word & bit != 0) revert Errors.Licences_NonceUsed(licensor, nonce);
        _nonces[licensor][nonce >> 8] = word | bit;
    }

    /// @dev Writes the licence and mints it to the caller.
    function _grant(bytes32 termsHash, TermsCodec.Words calldata terms) private returns (uint256 licence) {
        uint256 catalogue = terms.catalogue;
        (uint256 scopes, uint256 taken) = ScopeCounters.add(_scopes[catalogue], terms.scope, terms.exclusive);
        if (taken != 0) revert Errors.Licences_ScopeTaken(catalogue, taken);
        _scopes[catalogue] = scopes;

        licence = ++count;
        _termsHashes[licence] = termsHash;
        bool transferable = terms.transferable != 0;
        _licences[licence] = LicenceState.packNew(transferable, block.timestamp);
        _mint(msg.sender, licence);
        if (!transferable) emit Locked(licence);
    }

    // solhint-disable no-empty-blocks

    /// @dev A permit that somebody sent ahead fails here, and its allowance is there all the same.
    function _permit(address token, Permit calldata permit) private {
        try
            IERC20Permit(token).permit(
                msg.sender,
                address(this),
                permit.value,
                permit.deadline,
                permit.v,
                permit.r,
                permit.s
            )
        {} catch {}
    }

    // solhint-enable no-empty-blocks

    /// @dev The EIP-712 digest of an offer.
    function _offerId(
        bytes32 termsHash,
        TermsCodec.Words calldata terms,
        Offer calldata what
    ) private view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        OFFER_TYPEHASH,
                        termsHash,
                        terms.token,
                        terms.upfrontFee,
                        what.nonce,
                        what.deadline,
                        keccak256(bytes(what.uri))
                    )
                )
            );
    }

    // The token

    /// @inheritdoc IERC5192
    function locked(uint256 licence) public view override(ILicences, IERC5192) returns (bool) {
        _requireOwned(licence);
        LicenceState.Licence memory self;
        LicenceState.unpackFirst(self, _licences[licence]);
        return !self.transferable || self.openPeriods != 0 || self.openDisputes != 0 || self.inCure;
    }

    /// @dev These three answer with literals: the strings that OpenZeppelin keeps cost code and reads of storage.
    /// @inheritdoc ERC721
    function name() public pure override returns (string memory) {
        return "Licences";
    }

    /// @inheritdoc ERC721
    function symbol() public pure override returns (string memory) {
        return "LICENCE";
    }

    /// @inheritdoc EIP712
    function eip712Domain()
        public
        view
        override
        returns (
            bytes1 fields,
            string memory name_,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", "Licences", "1", block.chainid, address(this), 0, new uint256[](0));
    }

    /// @notice The name of the terms' hash: urn:keccak256:0x….
    function tokenURI(uint256 licence) public view override returns (string memory) {
        _requireOwned(licence);
        return string.concat("urn:keccak256:", Strings.toHexString(uint256(_termsHashes[licence]), 32));
    }

    /// @inheritdoc ERC721
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @inheritdoc ERC721
    function approve(address to, uint256 licence) public override nonReentrant {
        super.approve(to, licence);
    }

    /// @inheritdoc ERC721
    function setApprovalForAll(address operator, bool approved) public override nonReentrant {
        super.setApprovalForAll(operator, approved);
    }

    /// @inheritdoc ERC721
    function transferFrom(address from, address to, uint256 licence) public override nonReentrant {
        super.transferFrom(from, to, licence);
    }

    /// @inheritdoc ERC721
    function safeTransferFrom(
        address from,
        address to,
        uint256 licence,
        bytes memory data
    ) public override nonReentrant {
        super.transferFrom(from, to, licence);
        ERC721Utils.checkOnERC721Received(msg.sender, from, to, licence, data);
    }

    /// @dev Refuses a transfer while the licence is locked, and records the others.
    function _update(address to, uint256 licence, address auth) internal override returns (address from) {
        from = super._update(to, licence, auth);
        if (from == address(0)) return from;
        if (locked(licence)) revert Errors.Licences_Locked(licence);
        _record(Moved.selector, bytes32(licence), abi.encode(msg.sender, from, to));
    }
}
