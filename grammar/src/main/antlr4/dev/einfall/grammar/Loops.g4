// The text of the loop level: kernels, and at most one plan that launches them.
grammar Loops;

file
  : kernel* plan? EOF
  ;

kernel
  : 'kernel' ID '(' (declaration (',' declaration)*)? ')' block
  ;

declaration
  : ID ':' ID '[' (INT (',' INT)*)? ']'
  ;

block
  : '{' statement* '}'
  ;

statement
  : kind=('parallel' | 'vectorized' | 'unrolled' | 'block' | 'thread' | 'warp' | 'warpgroup')? 'for' ID 'in' INT '..' expr block  # For
  | 'alloc' declaration 'in' space=('registers' | 'local' | 'shared') block           # Alloc
  | 'barrier'                                                                         # Barrier
  | 'let' ID ':' ID '=' expr                                                          # Let
  | 'if' expr block ('else' block)?                                                   # If
  | 'require' expr ',' STRING ',' expr                                                # Require
  | ID '[' (expr (',' expr)*)? ']' '=' expr                                           # Store
  ;

plan
  : 'plan' ID '{' item* '}'
  ;

item
  : 'input' declaration                                                               # Input
  | 'weight' declaration '=' STRING                                                   # Weight
  | 'constant' declaration                                                            # Constant
  | 'output' declaration '=' STRING ('from' ID)?                                       # Output
  | 'buffer' declaration 'at' INT                                                     # Placement
  | 'arena' INT                                                                       # Arena
  | 'setup' launch                                                                    # Setup
  | 'launch' launch                                                                   # Run
  ;

launch
  : ID '(' (ID (',' ID)*)? ')'
  ;

// Tightest first.
expr
  : '(' expr ')'                                                                      # Parentheses
  | '-'? (INT | FLOAT | 'inf' | 'nan')                                                # Number
  | ('true' | 'false')                                                                # Truth
  | ID '[' (expr (',' expr)*)? ']'                                                    # Load
  | ID '(' (expr (',' expr)*)? ')'                                                    # Call
  | ID                                                                                # Reference
  | op=('-' | '!') expr                                                               # Prefix
  | expr op=('*' | '/' | '%') expr                                                    # Infix
  | expr op=('+' | '-') expr                                                          # Infix
  | expr op=('==' | '!=' | '<' | '<=' | '>' | '>=') expr                              # Infix
  | expr op='&&' expr                                                                 # Infix
  | expr op='||' expr                                                                 # Infix
  ;

ID : [A-Za-z_] [A-Za-z0-9_]* ;
FLOAT : [0-9]+ '.' [0-9]+ EXPONENT? | [0-9]+ EXPONENT ;
INT : [0-9]+ ;
STRING : '"' ('\\' ~[\r\n] | ~["\\\r\n])* '"' ;
COMMENT : '#' ~[\r\n]* -> channel(HIDDEN) ;
SPACE : [ \t\r\n]+ -> channel(HIDDEN) ;

// Last, so that the parser sees and reports every character that has no meaning.
OTHER : . ;

fragment EXPONENT : [eE] [+-]? [0-9]+ ;
