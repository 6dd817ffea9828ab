/** JSON (RFC 8259): the header of a safetensors file. */
grammar Json;

document : value EOF ;

value
  : object                          # objectValue
  | array                           # arrayValue
  | STRING                          # stringValue
  | NUMBER                          # numberValue
  | word=('true' | 'false' | 'null') # wordValue
  ;

object : '{' (member (',' member)*)? '}' ;
member : key=STRING ':' value ;
array : '[' (value (',' value)*)? ']' ;

STRING : '"' ('\\' ["\\/bfnrt] | '\\u' HEX HEX HEX HEX | ~["\\\u0000-\u001F])* '"' ;
NUMBER : '-'? ('0' | [1-9] [0-9]*) ('.' [0-9]+)? ([eE] [+-]? [0-9]+)? ;
SPACE : [ \t\r\n]+ -> skip ;
OTHER : . ;

fragment HEX : [0-9a-fA-F] ;
