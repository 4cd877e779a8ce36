// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title DialectToken
/// @notice Test chains only: a token whose `transfer` and `transferFrom` answer in a chosen dialect, by recipient or for
///         everybody. Its functions declare no return value, so that each dialect builds its own answer.
contract DialectToken {
    /// @notice What a transfer does and answers.
    enum Dialect {
        /// moves, returns true
        Plain,
        /// moves, returns nothing, as USDT does
        Silent,
        /// does not move, returns false
        False,
        /// does not move, returns true
        Liar,
        /// moves, returns false
        FalseThoughMoved,
        /// moves, returns a word that is 2
        Two,
        /// moves, returns a word whose high bits are set and whose lowest is 1
        DirtyTrue,
        /// moves, returns one byte, 0x01
        OneByte,
        /// moves, returns true and another word
        TwoWords,
        /// moves, returns true and `bombSize` bytes more
        BombTrue,
        /// moves, returns `bombSize` zero bytes
        Bomb,
        /// reverts with `bombSize` zero bytes
        BombRevert,
        /// reverts without a reason
        Revert,
        /// runs an invalid instruction, which burns all gas
        BurnGas,
        /// writes storage until the gas is gone
        Loop
    }

    error InsufficientBalance(address from, uint256 held, uint256 wanted);
    error InsufficientAllowance(address spender, uint256 allowed, uint256 wanted);

    event Transfer(address indexed from, address indexed to, uint256 value);

    string public constant name = "Dialect Token, test chains only";
    string public constant symbol = "DIALECT";
    uint8 public immutable decimals;

    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    uint256 public totalSupply;

    Dialect public common;
    uint256 public bombSize = 1_000_000;
    /// @dev Dialect of a recipient plus one; zero: the common one.
    mapping(address recipient => uint256) private _own;
    uint256 private _sink;

    constructor(uint8 decimals_, Dialect common_) {
        decimals = decimals_;
        common = common_;
    }

    function setCommon(Dialect dialect) external {
        common = dialect;
    }

    function setDialect(address recipient, Dialect dialect) external {
        _own[recipient] = uint256(dialect) + 1;
    }

    function setBombSize(uint256 size) external {
        bombSize = size;
    }

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function approve(address spender, uint256 value) external {
        allowance[msg.sender][spender] = value;
        _answer(dialectOf(address(0)) == Dialect.Silent ? Dialect.Silent : Dialect.Plain);
    }

    function transfer(address to, uint256 value) external {
        Dialect dialect = dialectOf(to);
        _move(dialect, msg.sender, to, value);
        _answer(dialect);
    }

    function transferFrom(address from, address to, uint256 value) external {
        Dialect dialect = dialectOf(to);
        if (_moves(dialect)) {
            uint256 allowed = allowance[from][msg.sender];
            if (allowed < value) revert InsufficientAllowance(msg.sender, allowed, value);
            if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        }
        _move(dialect, from, to, value);
        _answer(dialect);
    }

    function dialectOf(address recipient) public view returns (Dialect) {
        uint256 own = _own[recipient];
        return own == 0 ? common : Dialect(own - 1);
    }

    function _moves(Dialect dialect) private pure returns (bool) {
        return dialect != Dialect.False && dialect != Dialect.Liar && dialect < Dialect.BombRevert;
    }

    function _move(Dialect dialect, address from, address to, uint256 value) private {
        if (!_moves(dialect)) return;
        if (balanceOf[from] < value) revert InsufficientBalance(from, balanceOf[from], value);
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    /// @dev Ends the call.
    function _answer(Dialect dialect) private {
        if (dialect == Dialect.Silent) _return("");
        if (dialect == Dialect.False || dialect == Dialect.FalseThoughMoved) _return(abi.encode(false));
        if (dialect == Dialect.Two) _return(abi.encode(2));
        if (dialect == Dialect.DirtyTrue) _return(abi.encode((1 << 255) | 1));
        if (dialect == Dialect.OneByte) _return(hex"01");
        if (dialect == Dialect.TwoWords) _return(abi.encode(true, 7));
        if (dialect == Dialect.BombTrue) _bomb(true, false);
        if (dialect == Dialect.Bomb) _bomb(false, false);
        if (dialect == Dialect.BombRevert) _bomb(false, true);
        if (dialect == Dialect.Revert) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        if (dialect == Dialect.BurnGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        while (dialect == Dialect.Loop) ++_sink;
        _return(abi.encode(true));
    }

    function _return(bytes memory answer) private pure {
        assembly ("memory-safe") {
            return(add(answer, 32), mload(answer))
        }
    }

    /// @dev Answers one word and `bombSize` bytes of untouched memory.
    function _bomb(bool success, bool reverting) private view {
        uint256 size = bombSize;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, success)
            if reverting {
                revert(start, add(size, 32))
            }
            return(start, add(size, 32))
        }
    }
}
