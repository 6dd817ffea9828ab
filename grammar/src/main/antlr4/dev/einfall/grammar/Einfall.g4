// The language of `.ein` files. LANGUAGE.md says what each form means.
grammar Einfall;

program
  : declaration* EOF
  ;

declaration
  : 'import' name ('.' name)*                                                         # Import
  | 'weights' STRING                                                                  # WeightsFile
  | 'tokenizer' STRING                                                                # TokenizerFile
  | constant                                                                          # FileConstant
  | function                                                                          # FunctionDeclaration
  | 'format' name '{' function* '}'                                                   # Format
  | 'reduce' name '(' operand ',' operand ')' '=' components 'identity' components promise*   # Combiner
  ;

function
  : 'def' name types? '(' (parameter (',' parameter)*)? ')' '->' results body
  ;

constant
  : 'const' name '=' expr
  ;

// Element types that a call gives.
types
  : '<' name (',' name)* '>'
  ;

operand
  : component
  | '(' component (',' component)* ')'
  ;

component
  : name ':' name
  ;

components
  : '(' expr (',' expr)+ ')'
  | expr
  ;

promise
  : 'associative' | 'commutative'
  ;

parameter
  : name ':' type
  ;

results
  : result
  | '(' result (',' result)* ')'
  ;

result
  : (name ':')? type
  ;

type
  : name arguments? ('[' (dimension (',' dimension)*)? ']')?
  ;

// What a format takes.
arguments
  : '(' argument (',' argument)* ')'
  ;

argument
  : name '=' expr
  ;

dimension
  : '...'                                                                             # AnyDimensions
  | expr                                                                              # OneDimension
  ;

body
  : '{' statement* '}'
  ;

statement
  : 'weight' name ':' type '=' STRING                                                 # Weight
  | target (',' target)* op=('=' | ':=') expr ranges? ('where' where=expr)?
      ('while' condition=expr)?                                                       # Definition
  | 'update' state (',' state)* ranges? ('while' expr)? body                          # Update
  | name (',' name)* '=' expr                                                         # Assignment
  | constant                                                                          # BodyConstant
  | 'for' name 'in' expr '..' expr ('in' STRING)? body                                # StaticLoop
  | 'if' expr body ('else' 'if' expr body)* ('else' body)?                            # Choice
  | 'map' name directives                                                             # MapBlock
  | 'return' expr (',' expr)*                                                         # Return
  ;

target
  : name '[' (subscript (',' subscript)*)? ']'
  ;

state
  : name 'from' name                                                                  # CopyState
  | name ':' type 'from' expr                                                         # FilledState
  ;

ranges
  : 'for' step (',' step)*
  ;

step
  : name 'in' expr '..' expr
  ;

directives
  : '{' (directive ';'?)* '}'
  ;

directive
  : 'flatten' ID ID+                                                                  # Flatten
  | 'split' ID INT+                                                                   # Split
  | 'order' ID+                                                                       # Order
  | 'parallel' ID+                                                                    # Parallel
  | 'unroll' ID+                                                                      # Unroll
  | 'vectorize' ID+                                                                   # Vectorize
  | 'fuse' members+=ID+ ('over' shared+=ID+ ('by' INT)?)?                             # Fuse
  | 'layout' ID+                                                                      # Layout
  | 'schedule' ID INT?                                                                # Schedule
  ;

subscript
  : '...'                                                                             # Rest
  | ':'                                                                               # All
  | expr (('in' expr)? '..' expr)?                                                    # IndexOrRange
  ;

// Tightest first.
expr
  : '(' expr ')'                                                                      # Parentheses
  | (INT | FLOAT | 'inf' | 'nan')                                                     # Number
  | ('true' | 'false')                                                                # Truth
  | name '[' (subscript (',' subscript)*)? ('where' filter=expr)? ']'
      (('.' INT)? '(' expr (',' expr)* ')' | 'or' outside)?                           # ReductionOrAccess
  | name '(' (expr (',' expr)*)? ')' ('in' STRING)?                                   # Call
  | '[' (subscript (',' subscript)*)? ']'                                             # List
  | name                                                                              # Reference
  | op=('-' | '!') expr                                                               # Prefix
  | expr op=('*' | '/' | '%') expr                                                    # Infix
  | expr op=('+' | '-') expr                                                          # Infix
  | expr op=('==' | '!=' | '<' | '<=' | '>' | '>=') expr                              # Infix
  | expr op='&&' expr                                                                 # Infix
  | expr op='||' expr                                                                 # Infix
  ;

// The value of an access outside the bounds: a number, a name, or something in parentheses.
outside
  : '-'? (INT | FLOAT | 'inf' | 'nan')                                                # OutsideNumber
  | ('true' | 'false')                                                                # OutsideTruth
  | name '(' expr ')'                                                                 # OutsideCast
  | name                                                                              # OutsideName
  | '(' expr ')'                                                                      # OutsideValue
  ;

// Words that have a meaning at the start of a statement or in a map block only may be names elsewhere.
name
  : ID
  | 'import' | 'const' | 'weights' | 'tokenizer' | 'weight' | 'map'
  | 'flatten' | 'split' | 'order' | 'parallel' | 'unroll' | 'vectorize' | 'fuse' | 'over' | 'by' | 'layout' | 'schedule'
  | 'format' | 'reduce' | 'identity' | 'associative' | 'commutative' | 'update' | 'from' | 'while' | 'where'
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
